// SPDX-License-Identifier: Apache-2.0
// openai_client.js MODULES BASE_URL KEY FOLDER: the official client against a gateway, unchanged.
// Prints one line of JSON for each thing that was tried.
'use strict';
const fs = require('fs');
const path = require('path');

const [modules, baseURL, apiKey, folder] = process.argv.slice(2);
const OpenAI = require(path.join(modules, 'openai'));
const client = new OpenAI({ apiKey, baseURL, maxRetries: 0, timeout: 20000 });
const say = (what, value) => console.log(JSON.stringify({ what, ...value }));
const messages = [{ role: 'user', content: 'Hello wide world' }];
const user = 'alice';

async function failing(what, call) {
  try {
    await call();
    say(what, { failed: false });
  } catch (error) {
    say(what, {
      failed: true, kind: error.constructor.name, status: error.status ?? null,
      code: error.code ?? null, type: error.type ?? null,
    });
  }
}

async function main() {
  const list = await client.models.list();
  say('models', { ids: list.data.map((each) => each.id).sort() });

  const { data, response } = await client.chat.completions
    .create({ model: 'echo', messages, user }).withResponse();
  say('chat', {
    content: data.choices[0].message.content, finish: data.choices[0].finish_reason,
    tokens: data.usage.total_tokens, id: data.aigc.ProduceID,
    header: response.headers.get('colophon-content-id'),
  });

  const stream = await client.chat.completions.create({
    model: 'letters', messages, user, stream: true, stream_options: { include_usage: true },
  });
  let content = '';
  let finish = null;
  let usage = null;
  let chunks = 0;
  for await (const chunk of stream) {
    chunks += 1;
    content += chunk.choices[0]?.delta?.content ?? '';
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  say('stream', { content, finish, chunks, tokens: usage?.total_tokens ?? 0 });

  const runner = client.chat.completions.stream({
    model: 'tools', messages: [{ role: 'user', content: 'Beijing' }], user,
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
  });
  const called = await runner.finalChatCompletion();
  const call = called.choices[0].message.tool_calls[0];
  say('tools', { name: call.function.name, arguments: call.function.arguments, id: call.id });

  const answered = await client.responses.create({
    model: 'echo', input: 'Hello wide world', user, store: true,
  });
  say('response', {
    text: answered.output_text, status: answered.status, tokens: answered.usage.total_tokens,
    id: answered.aigc.ProduceID, kept: answered.store,
  });
  const events = client.responses.stream({
    model: 'letters', input: [{ role: 'user', content: 'Hello wide world' }], user,
  });
  let pieces = '';
  let numbers = 0;
  let ordered = true;
  for await (const event of events) {
    ordered = ordered && event.sequence_number === numbers;
    numbers += 1;
    if (event.type === 'response.output_text.delta') pieces += event.delta;
  }
  const streamed = await events.finalResponse();
  say('response_stream', {
    text: streamed.output_text, pieces, ordered, status: streamed.status,
    id: streamed.aigc.ProduceID, tokens: streamed.usage.total_tokens,
  });
  const calling = client.responses.stream({
    model: 'tools', input: 'Beijing', user,
    tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' }, strict: false }],
  });
  const made = (await calling.finalResponse()).output[0];
  say('response_tools', { name: made.name, arguments: made.arguments, id: made.call_id });

  const completion = await client.completions.create({ model: 'echo', prompt: 'once', user });
  say('completion', { text: completion.choices[0].text });

  for (const format of ['mp3', 'wav', 'flac', 'opus', 'aac']) {
    const speech = await client.audio.speech.create({
      model: 'espeak-ng', voice: 'alloy', input: 'The evening sun.', response_format: format,
    }, { headers: { 'Colophon-Subject': user } });
    const file = path.join(folder, `speech.${format}`);
    fs.writeFileSync(file, Buffer.from(await speech.arrayBuffer()));
    say('speech', { format, id: speech.headers.get('colophon-content-id') });
  }

  const image = await client.images.generate({ model: 'picture', prompt: 'a white square', user });
  fs.writeFileSync(path.join(folder, 'picture.png'), Buffer.from(image.data[0].b64_json, 'base64'));
  say('image', { id: image.aigc.ProduceID });

  const edited = await client.images.edit({
    model: 'picture', prompt: 'with a hat', user, n: 1,
    image: await OpenAI.toFile(fs.createReadStream(path.join(folder, 'plain.png')), 'alice.png',
      { type: 'image/png' }),
  });
  fs.writeFileSync(path.join(folder, 'edited.png'), Buffer.from(edited.data[0].b64_json, 'base64'));
  say('edit', { id: edited.aigc.ProduceID, parts: edited.parts.sort().join(' ') });

  const moderation = await client.moderations.create({ input: ['fine', 'a forbidden wish'] });
  say('moderation', { flagged: moderation.results.map((each) => each.flagged) });

  const chat = (model, content, more = {}) => client.chat.completions.create({
    model, messages: [{ role: 'user', content }], user, ...more,
  });
  const drain = async (model, content) => {
    for await (const _ of await chat(model, content, { stream: true })) { /* to its end */ }
  };
  await failing('input_blocked', () => chat('echo', 'a forbidden wish'));
  await failing('no_user', () => chat('echo', 'x', { user: undefined }));
  await failing('stranger', () => chat('echo', 'x', { user: 'mallory' }));
  await failing('no_model', () => chat('nothing', 'x'));
  await failing('upstream_500', () => chat('error-500', 'x'));
  await failing('upstream_hangs', () => chat('hang', 'x'));
  await failing('garbage', () => chat('garbage', 'x'));
  await failing('cut', () => chat('cut', 'one two three four'));
  await failing('stream_cut', () => drain('cut', 'one two three four'));
  await failing('stream_garbage', () => drain('garbage', 'x'));
  await failing('stream_huge', () => drain('huge', 'x'));
  await failing('stream_stalls', () => drain('stall', 'one two three four'));
  await failing('pcm', () => client.audio.speech.create({
    model: 'espeak-ng', voice: 'alloy', input: 'x', response_format: 'pcm',
  }, { headers: { 'Colophon-Subject': user } }));

  // The upstream says what the list forbids: the stream ends in the way that clients know.
  await failing('edit_blocked', async () => client.images.edit({
    model: 'picture', prompt: 'a forbidden hat', user,
    image: await OpenAI.toFile(Buffer.from('x'), 'x.png'),
  }));
  await failing('edit_empty', async () => client.images.edit({
    model: 'picture', prompt: 'a hat', user, image: [],
  }));

  const filtered = await chat('backwards', 'neddibrof', { stream: true });
  let reason = null;
  let text = '';
  for await (const chunk of filtered) {
    text += chunk.choices[0]?.delta?.content ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  say('output_blocked', { text, reason });
  await failing('output_blocked_whole', () => chat('backwards', 'neddibrof'));

  const respond = (model, input, more = {}) => client.responses.create({
    model, input, user, ...more,
  });
  const ended = await respond('backwards', 'neddibrof tsomla', { stream: true });
  let said = '';
  let last = null;
  for await (const event of ended) {
    if (event.type === 'response.output_text.delta') said += event.delta;
    last = event;
  }
  say('response_blocked', {
    text: said, type: last.type, reason: last.response.incomplete_details.reason,
    output: last.response.output[0].content[0].text,
  });
  const drainResponse = async (model, input) => {
    for await (const _ of await respond(model, input, { stream: true })) { /* to its end */ }
  };
  await failing('response_blocked_whole', () => respond('backwards', 'neddibrof'));
  await failing('response_input_blocked', () => respond('echo', 'a forbidden wish'));
  await failing('response_cut', () => drainResponse('cut', 'one two three four'));
  await failing('response_kept', () => respond('echo', 'x', { previous_response_id: 'resp_1' }));
  await failing('response_search', () => respond('echo', 'x', { tools: [{ type: 'web_search' }] }));

  const leaving = new AbortController();
  const left = await client.chat.completions.create(
    { model: 'paced-100', messages, user, stream: true }, { signal: leaving.signal });
  try {
    for await (const _ of left) { leaving.abort(); }
  } catch (error) { /* it is we who left */ }
  say('left', {});
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
