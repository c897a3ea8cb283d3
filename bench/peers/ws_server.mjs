// A relay made with the npm package ws, used as its documentation shows:
// /echo sends each frame back, /fanout sends it to all others.
import { WebSocketServer, WebSocket } from 'ws';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  backlog: 4096,
  perMessageDeflate: false,
});

server.on('connection', (socket, request) => {
  const others = request.url === '/fanout';
  socket.on('error', (error) => console.error(JSON.stringify({ event: 'socket.failed', cause: error.message })));
  socket.on('message', (data, isBinary) => {
    if (!others) {
      socket.send(data, { binary: isBinary });
      return;
    }
    for (const client of server.clients) {
      if (client !== socket && client.readyState === WebSocket.OPEN) {
        client.send(data, { binary: isBinary });
      }
    }
  });
});

server.on('listening', () => {
  console.error(JSON.stringify({ event: 'server.ready', port: server.address().port }));
});

const stop = () => process.exit(0);
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
