// SPDX-License-Identifier: Apache-2.0
// guard_model.js: classifiers of others, written from their documentation: OpenAI's moderations and
// two guard models behind a chat endpoint. Prints "listening PORT" and a line of JSON for each request.
'use strict';
const http = require('http');
const { isRed } = require('./mean_colour.js');

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

function moderate(asked) {
  const pictures = asked.input.filter((part) => part.type === 'image_url');
  if (pictures.length > 1) return { error: { message: 'Too many images. Maximum number of images is 1.' } };
  const reds = pictures.filter((part) => isRed(part.image_url.url.split(',')[1]));
  return {
    id: 'modr-1', model: asked.model,
    results: asked.input.map((part) => {
      const bad = reds.includes(part) || (part.type === 'text' && part.text.includes('rabble'));
      const score = bad ? 0.8 : 0.01;
      return { flagged: score > 0.5, categories: { hate: score > 0.5 }, category_scores: { hate: score } };
    }),
  };
}

function judge(asked) {
  const last = asked.messages.at(-1).content;
  const llama = asked.model.startsWith('llama');
  let content = llama ? '\n\nsafe' : 'Safety: Safe\nCategories: None';
  if (last.includes('rabble')) content = llama ? '\n\nunsafe\nS10' : 'Safety: Unsafe\nCategories: Violent';
  if (!llama && last.includes('perhaps')) content = 'Safety: Controversial\nCategories: Unethical Acts';
  if (last.includes('babble')) content = 'I would rather not say.';
  return { choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] };
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(parts).toString());
    say({ path: request.url, key: request.headers.authorization ?? '', asked });
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(request.url.endsWith('/moderations') ? moderate(asked) : judge(asked)));
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`));
