// The relay of ws_server.mjs made with Socket.IO, over WebSocket from the start. The mode is in the query:
// echo sends each event back, fanout sends it to all others.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
// Clients of a contest answer pings only in their own turns.
const server = new Server(http, { transports: ['websocket'], pingTimeout: 300_000 });

server.on('connection', (socket) => {
  const others = socket.handshake.query.mode === 'fanout';
  socket.on('tick', (payload) => {
    if (others) {
      socket.broadcast.emit('tick', payload);
    } else {
      socket.emit('tick', payload);
    }
  });
});

http.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  console.error(JSON.stringify({ event: 'server.ready', port: http.address().port }));
});

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
