// SPDX-License-Identifier: Apache-2.0
// guard_server.js PORT [SECRET]: a check in the shape of LiteLLM's generic guardrail API, written from
// its documentation. Prints "listening PORT" and one line of JSON for each request. With a secret it
// answers 401 to whatever is not signed with it. What the texts say decides how it behaves; of several
// pictures, such as the frames of a video, none may be red.
'use strict';
const crypto = require('crypto');
const http = require('http');
const { picture } = require('./grey_picture.js');
const { isRed } = require('./mean_colour.js');

const [port, secret] = process.argv.slice(2);
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const repainted = new Set();

function isSigned(request, body) {
  if (!secret) return true;
  const time = request.headers['colophon-timestamp'] ?? '';
  const wanted = 'sha256=' + crypto.createHmac('sha256', secret).update(`${time}.`).update(body)
    .digest('hex');
  return Math.abs(Date.now() / 1000 - Number(time)) < 60 &&
    wanted === request.headers['colophon-signature'];
}

function answer(response, value) {
  response.setHeader('Content-Type', 'application/json');
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
}

// Pours out bytes until the other side has had enough.
function pour(response, piece, everyMs) {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const timer = setInterval(() => response.write(piece), everyMs);
  response.on('close', () => clearInterval(timer));
}

const behaviours = {
  'guard:block': (response) => answer(response, {
    action: 'BLOCKED', blocked_reason: 'Nothing of this here, please.',
  }),
  'guard:slow': (response) => setTimeout(() => answer(response, { action: 'NONE' }), 4000),
  'guard:hang': () => {},
  'guard:cut': (response) => {
    response.writeHead(200, { 'Content-Length': 100 });
    response.write('{"action":');
    setTimeout(() => response.destroy(), 20);
  },
  'guard:status': (response) => { response.statusCode = 500; answer(response, { action: 'NONE' }); },
  'guard:json': (response) => answer(response, '{"action":"NONE"'),
  'guard:list': (response) => answer(response, '["NONE"]'),
  'guard:action': (response) => answer(response, { action: 'MAYBE' }),
  'guard:silent': (response) => answer(response, {}),
  'guard:count': (response) => answer(response, { action: 'GUARDRAIL_INTERVENED', texts: [] }),
  'guard:empty': (response) => answer(response, { action: 'GUARDRAIL_INTERVENED' }),
  'guard:number': (response) => answer(response, { action: 'GUARDRAIL_INTERVENED', texts: [1] }),
  'guard:tools': (response, asked) => answer(response, {
    action: 'GUARDRAIL_INTERVENED', texts: asked.texts, tools: [{ type: 'function' }],
  }),
  'guard:huge': (response) => pour(response, ' '.repeat(1 << 20), 1),
  'guard:drip': (response) => pour(response, ' ', 20),
};

function decide(asked, response) {
  const all = [...(asked.texts ?? []), ...(asked.tool_calls ?? []).map((x) => x.function.arguments)];
  for (const [trigger, behave] of Object.entries(behaviours)) {
    if (all.some((text) => text.includes(trigger))) return behave(response, asked);
  }
  if ((asked.images ?? []).length > 1 && asked.images.some(isRed)) {
    return answer(response, { action: 'BLOCKED', blocked_reason: 'Nothing red, please.' });
  }
  if (all.some((text) => text.includes('guard:repaint'))) repainted.add(asked.litellm_call_id);
  if (asked.input_type === 'response' && repainted.has(asked.litellm_call_id)) {
    return answer(response, { action: 'GUARDRAIL_INTERVENED', images: [picture(400, 300).toString('base64')] });
  }
  const texts = (asked.texts ?? []).map((text) => text.replace(/\b1[3-9]\d{9}\b/g, '[phone]'));
  if (texts.join() === (asked.texts ?? []).join()) {
    return answer(response, { action: 'NONE', texts: asked.texts, images: asked.images ?? null });
  }
  return answer(response, { action: 'GUARDRAIL_INTERVENED', texts, tools: asked.tools ?? null });
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('error', () => {});
  request.on('end', () => {
    const body = Buffer.concat(parts);
    const signed = isSigned(request, body);
    const asked = JSON.parse(body.toString());
    say({ path: request.url, key: request.headers['x-api-key'] ?? '', signed, asked });
    response.on('error', () => {});
    if (!signed) {
      response.statusCode = 401;
      return answer(response, { error: 'not signed' });
    }
    return decide(asked, response);
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write(
  `listening ${server.address().port}\n`));
