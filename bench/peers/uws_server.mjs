// The relay of ws_server.mjs made with uWebSockets, used as its documentation shows: /fanout is its publish/subscribe.
import uws from '@trufflesuite/uws-js-unofficial';

const limits = { compression: uws.DISABLED, maxPayloadLength: 1 << 20, maxBackpressure: 64 << 20, idleTimeout: 0 };

const server = uws
  .App()
  .ws('/echo', {
    ...limits,
    message: (socket, data, isBinary) => socket.send(data, isBinary),
  })
  .ws('/fanout', {
    ...limits,
    open: (socket) => socket.subscribe('all'),
    message: (socket, data, isBinary) => socket.publish('all', data, isBinary),
  });

server.listen('127.0.0.1', 0, (listening) => {
  if (!listening) {
    console.error(JSON.stringify({ event: 'server.failed', cause: 'cannot listen' }));
    process.exit(1);
  }
  console.error(JSON.stringify({ event: 'server.ready', port: uws.us_socket_local_port(listening) }));
});

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
