// SPDX-License-Identifier: Apache-2.0
// openai_videos.js MODULES BASE_URL KEY FOLDER: the official client makes videos of a gateway,
// unchanged. Prints one line of JSON for each thing that was tried.
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

async function main() {
  const created = await client.videos.create({
    model: 'video', prompt: 'a hill in the evening', seconds: '4', size: '1280x720',
    input_reference: await OpenAI.toFile(
      fs.createReadStream(path.join(folder, 'plain.png')), 'alice.png', { type: 'image/png' }),
  });
  say('created', created);
  await failing('early', () => client.videos.downloadContent(created.id));
  let done = created;
  while (done.status === 'queued' || done.status === 'in_progress') {
    await new Promise((wake) => { setTimeout(wake, 200); });
    done = await client.videos.retrieve(created.id);
  }
  say('done', done);
  const content = await client.videos.downloadContent(created.id);
  fs.writeFileSync(path.join(folder, 'client.mp4'), Buffer.from(await content.arrayBuffer()));
  say('content', { type: content.headers.get('content-type'), id: content.headers.get('colophon-content-id') });
  await failing('thumbnail', () => client.videos.downloadContent(created.id, { variant: 'thumbnail' }));

  await client.videos.create({ model: 'video-fails', prompt: 'another hill' });
  const ids = [];
  for await (const video of client.videos.list({ limit: 1 })) ids.push(video.id);
  say('listed', { ids });
  say('deleted', await client.videos.delete(created.id));
  await failing('gone', () => client.videos.retrieve(created.id));
  await failing('blocked', () => client.videos.create({ model: 'video', prompt: 'a forbidden hill' }));
  await failing('no_model', () => client.videos.create({ model: 'none', prompt: 'a hill' }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
