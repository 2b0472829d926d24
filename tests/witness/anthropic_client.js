// SPDX-License-Identifier: Apache-2.0
// anthropic_client.js MODULES BASE_URL KEY: Anthropic's official client against a gateway,
// unchanged, and the official client of OpenAI for models that an Anthropic upstream answers.
// Prints one line of JSON for each thing that was tried.
'use strict';
const path = require('path');

const [modules, baseURL, apiKey] = process.argv.slice(2);
const Anthropic = require(path.join(modules, '@anthropic-ai/sdk'));
const OpenAI = require(path.join(modules, 'openai'));
const client = new Anthropic({ apiKey, baseURL, maxRetries: 0, timeout: 20000 });
const chats = new OpenAI({ apiKey, baseURL: `${baseURL}/v1`, maxRetries: 0, timeout: 20000 });
const say = (what, value) => console.log(JSON.stringify({ what, ...value }));
const metadata = { user_id: 'alice' };

async function failing(what, call) {
  try {
    await call();
    say(what, { failed: false });
  } catch (error) {
    say(what, {
      failed: true, kind: error.constructor.name, status: error.status ?? null,
      type: error.error?.error?.type ?? null, code: error.error?.error?.code ?? null,
    });
  }
}

// `native` speaks messages itself; the other names are answered by chat completions.
async function through(prefix) {
  const name = (behaviour) => prefix + behaviour;
  const ask = (behaviour, content, more = {}) => client.messages.create({
    model: name(behaviour), max_tokens: 100, metadata,
    messages: [{ role: 'user', content }], ...more,
  });
  const whole = await ask('echo', 'Hello wide world');
  say(name('message'), {
    text: whole.content[0].text, reason: whole.stop_reason, id: whole.aigc.ProduceID,
    tokens: whole.usage.input_tokens + whole.usage.output_tokens,
  });

  const stream = client.messages.stream({
    model: name('letters'), max_tokens: 100, metadata, system: 'Be brief.',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello wide world' }] }],
  });
  let pieces = '';
  stream.on('text', (text) => { pieces += text; });
  const final = await stream.finalMessage();
  say(name('stream'), {
    text: final.content[0].text, pieces, reason: final.stop_reason, id: final.aigc.ProduceID,
    tokens: final.usage.output_tokens,
  });

  const tools = [{ name: 'weather', input_schema: { type: 'object' } }];
  const called = await ask('tools', 'Beijing', { tools });
  say(name('tools'), { name: called.content[0].name, input: called.content[0].input.city });
  const streamed = await client.messages.stream({
    model: name('tools'), max_tokens: 100, metadata, tools,
    messages: [{ role: 'user', content: 'Beijing' }],
  }).finalMessage();
  say(name('stream_tools'), {
    name: streamed.content[0].name, input: streamed.content[0].input.city,
    reason: streamed.stop_reason,
  });

  const filtered = await client.messages.stream({
    model: name('backwards'), max_tokens: 100, metadata,
    messages: [{ role: 'user', content: 'neddibrof tsomla' }],
  }).finalMessage();
  say(name('blocked'), { text: filtered.content[0].text, reason: filtered.stop_reason });

  const drain = async (behaviour, content) => {
    for await (const _ of await ask(behaviour, content, { stream: true })) { /* to its end */ }
  };
  await failing(name('blocked_whole'), () => ask('backwards', 'neddibrof'));
  await failing(name('input_blocked'), () => ask('echo', 'a forbidden wish'));
  await failing(name('no_user'), () => ask('echo', 'x', { metadata: {} }));
  await failing(name('cut'), () => drain('cut', 'one two three four'));
  await failing(name('search'), () => ask('echo', 'x', {
    tools: [{ type: 'web_search_20250305', name: 'web_search' }],
  }));
}

async function main() {
  await through('');
  await through('native-');
  await failing('no_model', () => client.messages.create({
    model: 'nothing', max_tokens: 1, metadata, messages: [{ role: 'user', content: 'x' }],
  }));
  const stranger = new Anthropic({ apiKey: 'nobody', baseURL, maxRetries: 0 });
  await failing('no_key', () => stranger.messages.create({
    model: 'echo', max_tokens: 1, messages: [{ role: 'user', content: 'x' }],
  }));

  // OpenAI's client, answered by the upstream that speaks messages.
  const user = 'alice';
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Beijing' },
    {
      role: 'assistant', content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: 'Sun' },
    { role: 'user', content: 'Hello wide world' },
  ];
  const chat = await chats.chat.completions.create({ model: 'native-echo', messages, user });
  say('chat', {
    text: chat.choices[0].message.content, reason: chat.choices[0].finish_reason,
    tokens: chat.usage.total_tokens,
  });
  const chunks = await chats.chat.completions.create({
    model: 'native-letters', messages, user, stream: true, stream_options: { include_usage: true },
  });
  let text = '';
  let reason = null;
  let tokens = 0;
  for await (const chunk of chunks) {
    text += chunk.choices[0]?.delta?.content ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
    tokens = chunk.usage?.total_tokens ?? tokens;
  }
  say('chat_stream', { text, reason, tokens });
  const runner = chats.chat.completions.stream({
    model: 'native-tools', messages: [{ role: 'user', content: 'Beijing' }], user,
    tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
  });
  const call = (await runner.finalChatCompletion()).choices[0].message.tool_calls[0];
  say('chat_tools', { name: call.function.name, arguments: call.function.arguments });
  await failing('chat_choices', () => chats.chat.completions.create({
    model: 'native-echo', messages, user, n: 2,
  }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
