// SPDX-License-Identifier: Apache-2.0
// odd_moderation.js: a moderation service of a shape of its own, as a template describes it: paths,
// headers, verdicts in words, labels with percents, and errors with the status 200. Prints "listening
// PORT" and a line of JSON for each request.
'use strict';
const http = require('http');

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

function judge(asked) {
  const text = asked.content?.text ?? '';
  if (text.includes('babble')) return { status: { code: 9, message: 'overloaded' } };
  if (text.includes('gibberish')) return { status: { code: 0 }, outcome: { suggestion: 'shrug' } };
  const red = (asked.content?.picture ?? '').startsWith('UkVE');
  const labels = [{ tag: 'Normal', confidence: 99 }];
  let suggestion = 'pass';
  if (text.includes('rabble')) { suggestion = 'block'; labels.push({ tag: 'Mob', confidence: 91.5 }); }
  if (red) { suggestion = 'block'; labels.push({ tag: 'gore', confidence: 88 }); }
  if (text.includes('perhaps')) { suggestion = 'review'; labels.push({ tag: 'A4c', confidence: 55 }); }
  return { status: { code: 0 }, outcome: { suggestion, details: labels } };
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(parts).toString());
    say({ path: request.url, token: request.headers['x-token'] ?? '', scene: request.headers['x-scene'] ?? '', asked });
    response.setHeader('Content-Type', 'application/json');
    response.statusCode = request.headers['x-token'] === 'secret-7' ? 200 : 403;
    const slow = (asked.content?.text ?? '').includes('slowly') ? 9000 : 0;
    setTimeout(() => response.end(JSON.stringify(judge(asked))), slow);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`));
