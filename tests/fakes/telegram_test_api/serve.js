// The server of the package on 127.0.0.1; its address is one JSON line on stdout. Ends when stdin closes.
'use strict';

const TelegramServer = require('telegram-test-api');

const HOST = '127.0.0.1';

async function main() {
  // An hour: nothing of a test run is cleared away while somebody may still read it.
  const server = new TelegramServer({ host: HOST, storeTimeout: 3600 });
  // The package takes 0 (any free port) for "not given".
  server.config.port = Number(process.argv[2] || 0);
  await server.start();
  process.stdin.on('end', () => process.exit(0)).resume();
  console.log(JSON.stringify({ address: `http://${HOST}:${server.server.address().port}` }));
}

main();
