// SPDX-License-Identifier: Apache-2.0
// openai_image_jobs.js MODULES BASE_URL KEY FOLDER: the official client asks for pictures that it
// comes back for, in both ways that there are, and has them. Prints one line of JSON for each thing
// that was tried.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, baseURL, apiKey, folder] = process.argv.slice(2);
const OpenAI = require(path.join(modules, 'openai'));
const client = new OpenAI({
  apiKey, baseURL, maxRetries: 0, timeout: 20000, defaultHeaders: { 'Colophon-Subject': 'alice' },
});
const say = (what, value) => console.log(JSON.stringify({ what, ...value }));

async function failing(what, call) {
  try {
    await call();
    say(what, { failed: false });
  } catch (error) {
    say(what, { failed: true, kind: error.constructor.name, status: error.status, code: error.code });
  }
}

async function ended(id) {
  for (;;) {
    const job = await client.get(`/images/jobs/${id}`);
    if (job.status !== 'queued' && job.status !== 'in_progress') return job;
    await new Promise((wake) => { setTimeout(wake, 200); });
  }
}

async function main() {
  const asked = await client.images.generate(
    { model: 'picture-slow-2500', prompt: 'a hill', size: '512x512', background: true }).withResponse();
  say('created', {
    ...asked.data, http: asked.response.status, location: asked.response.headers.get('location'),
  });
  await failing('early', () => client.get(`/images/jobs/${asked.data.id}/content`));
  const done = await ended(asked.data.id);
  say('done', done);
  const content = await client.get(`/images/jobs/${done.id}/content`);
  fs.writeFileSync(path.join(folder, 'job.png'), Buffer.from(content.data[0].b64_json, 'base64'));
  say('content', { pictures: content.data.length, id: content.aigc.ProduceID });

  const edit = await client.images.edit({
    model: 'picture', prompt: 'a hill',
    image: await OpenAI.toFile(fs.createReadStream(path.join(folder, 'plain.png')), 'alice.png', { type: 'image/png' }),
  }, { headers: { Prefer: 'respond-async, wait=5' } }).withResponse();
  say('edit', { http: edit.response.status, applied: edit.response.headers.get('preference-applied') });
  const edited = await ended(edit.data.id);
  say('edited', edited);
  const changed = await client.get(`/images/jobs/${edited.id}/content`);
  fs.writeFileSync(path.join(folder, 'edited.png'), Buffer.from(changed.data[0].b64_json, 'base64'));

  // What is no truth value is the background of the picture, and waits for nothing.
  const opaque = await client.images.generate({ model: 'picture', prompt: 'a hill', background: 'opaque' });
  say('opaque', { pictures: opaque.data.length });
  const list = await client.get('/images/jobs?limit=1');
  say('listed', { ids: list.data.map((each) => each.id), more: list.has_more });
  say('deleted', await client.delete(`/images/jobs/${asked.data.id}`));
  await failing('gone', () => client.get(`/images/jobs/${asked.data.id}`));
  await failing('blocked', () => client.images.generate(
    { model: 'picture', prompt: 'a forbidden hill', background: true }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
