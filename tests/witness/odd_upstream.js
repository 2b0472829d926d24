// SPDX-License-Identifier: Apache-2.0
// odd_upstream.js: upstreams that do not speak OpenAI's API. Prints "listening PORT" and a line of
// JSON for each request.
//
//   /api/v1/...    pictures of DashScope, written from its documentation: tasks that are submitted and
//                  asked about. What the prompt says decides how a task goes.
//                  Videos too: the file that was put at /film.
//   /odd/...       a text, pictures, sound and videos in shapes of their own
'use strict';
const http = require('http');
const { picture } = require('./grey_picture.js');

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const tasks = new Map();
let port = 0;
let film = Buffer.alloc(0);
let films = 0;
let filmAsks = 0;

// Two seconds of a tone.
function sound() {
  const rate = 16000;
  const data = Buffer.alloc(rate * 4);
  for (let i = 0; i < rate * 2; i += 1) {
    data.writeInt16LE(Math.round(8000 * Math.sin(i * 0.17)), i * 2);
  }
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'ascii');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8, 'ascii');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'ascii');
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

function json(response, value, status = 200) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

function submit(request, response, asked) {
  if (request.headers.authorization !== 'Bearer sk-odd') {
    return json(response, { code: 'InvalidApiKey', message: 'Invalid API-key provided.' }, 401);
  }
  if (request.headers['x-dashscope-async'] !== 'enable') {
    return json(response, { code: 'AccessDenied', message: 'no synchronous calls' }, 403);
  }
  const prompt = asked.input.prompt;
  const id = prompt.includes('bad id') ? '../secrets' : `task-${tasks.size + 1}`;
  const video = request.url.includes('/video-generation/');
  tasks.set(id, { prompt, asks: 0, n: asked.parameters.n ?? 1, video });
  return json(response, { output: { task_status: 'PENDING', task_id: id }, request_id: 'r-1' });
}

// An edit by a model that answers at once.
function editAtOnce(request, response, asked) {
  if (request.headers.authorization !== 'Bearer sk-odd' || request.headers['x-dashscope-async']) {
    return json(response, { code: 'AccessDenied', message: 'not like this' }, 403);
  }
  const content = asked.input.messages[0].content;
  if (content.at(-1).text.includes('nothing')) {
    return json(response, { output: { choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: [] } }] } });
  }
  return json(response, {
    output: {
      choices: [{
        finish_reason: 'stop',
        message: {
          role: 'assistant',
          content: content.slice(0, -1).map((each, i) => ({ image: `http://127.0.0.1:${port}/files/${i}.png?Expires=1` })),
        },
      }],
    },
    usage: { image_count: 1 },
  });
}

function ask(response, id) {
  const task = tasks.get(id);
  if (!task) return json(response, { output: { task_id: id, task_status: 'UNKNOWN' } });
  task.asks += 1;
  if (task.prompt.includes('flaky') && task.asks === 1) return json(response, {}, 500);
  if (task.prompt.includes('gone')) return json(response, {}, 500);
  if (task.prompt.includes('garbage')) return response.end('{"output":');
  const asksNeeded = task.prompt.includes('patient') ? 5 : 2;
  if (task.prompt.includes('forever') || task.asks < asksNeeded) {
    return json(response, {
      output: {
        task_id: id, task_status: task.asks ? 'RUNNING' : 'PENDING',
        task_metrics: { TOTAL: 4, SUCCEEDED: Math.min(task.asks, 3), FAILED: 0 },
      },
    });
  }
  if (task.prompt.includes('fails')) {
    return json(response, {
      output: {
        task_id: id, task_status: 'FAILED', code: 'DataInspectionFailed',
        message: 'Input data may contain inappropriate content.',
      },
    });
  }
  if (task.video) {
    const host = task.prompt.includes('elsewhere') ? '127.0.0.2:1' : `127.0.0.1:${port}`;
    return json(response, {
      output: { task_id: id, task_status: 'SUCCEEDED', video_url: `http://${host}/film.mp4?Expires=1` },
      usage: { video_duration: 2, video_count: 1 },
    });
  }
  const results = [];
  for (let i = 0; i < task.n; i += 1) {
    results.push({ url: `http://127.0.0.1:${port}/files/${i}.png?Expires=1`, actual_prompt: 'a hill' });
  }
  if (task.prompt.includes('partly')) {
    results[0] = { code: 'InternalError.Timeout', message: 'An internal timeout error occurred.' };
  }
  if (task.prompt.includes('elsewhere')) results[0].url = 'http://127.0.0.2:1/files/0.png';
  return json(response, {
    output: { task_id: id, task_status: 'SUCCEEDED', results }, usage: { image_count: task.n },
  });
}

function odd(request, response, asked) {
  if (request.headers['x-token'] !== 'T sk-odd') return json(response, { oops: 'who are you' });
  const path = request.url.split('?')[0];
  if (path === '/odd/chat/m-1') {
    if (asked.ask === 'fail') return json(response, { oops: 'the machine is tired' });
    if (asked.ask === 'number') return json(response, { out: [{ words: 7 }] });
    return json(response, { out: [{ words: `You said: ${asked.ask}` }], cost: { in: 3, out: 4 } });
  }
  if (path === '/odd/draw') {
    return json(response, { pictures: [{ data: picture(320, 240).toString('base64') }] });
  }
  if (path === '/odd/draw-one') {
    response.setHeader('Content-Type', 'image/png');
    return response.end(picture(320, 240));
  }
  if (path === '/odd/film') {
    films += 1;
    return json(response, { job: { number: films } });
  }
  if (path === '/odd/films/1') {
    filmAsks += 1;
    return json(response, {
      job: { state: filmAsks < 3 ? 'cooking' : 'ready', percent: 40 },
      film: { data: `data:video/mp4;base64,${film.toString('base64')}`, long: 2 },
    });
  }
  if (path === '/odd/say') return json(response, { wave: sound().toString('base64') });
  return json(response, {}, 404);
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (request.url === '/film') {
      film = Buffer.concat(parts);
      return response.end();
    }
    if (request.url.startsWith('/film.mp4')) return response.end(film);
    const text = Buffer.concat(parts).toString();
    const asked = text ? JSON.parse(text) : {};
    say({ path: request.url, method: request.method, asked });
    if (request.url.endsWith('/cancel')) return json(response, { request_id: 'r-2' });
    if (request.url === '/api/v1/services/aigc/text2image/image-synthesis'
        || request.url === '/api/v1/services/aigc/image2image/image-synthesis'
        || request.url === '/api/v1/services/aigc/video-generation/video-synthesis') {
      return submit(request, response, asked);
    }
    if (request.url === '/api/v1/services/aigc/multimodal-generation/generation') {
      return editAtOnce(request, response, asked);
    }
    if (request.url.startsWith('/api/v1/tasks/')) {
      return ask(response, request.url.slice('/api/v1/tasks/'.length));
    }
    if (request.url.startsWith('/files/')) return response.end(picture(400, 300));
    return odd(request, response, asked);
  });
});
server.listen(0, '127.0.0.1', () => {
  port = server.address().port;
  process.stdout.write(`listening ${port}\n`);
});
