// SPDX-License-Identifier: Apache-2.0
// cloud_moderation.js: the moderation of two clouds, written from their documentation; each request's
// signature is computed anew. Prints "listening PORT" and a line of JSON for each request.
'use strict';
const crypto = require('crypto');
const http = require('http');
const { isRed } = require('./mean_colour.js');

// Pictures that the reader of colours does not know are of no colour here.
function shownRed(base64) {
  try {
    return isRed(base64);
  } catch {
    return false;
  }
}

const KEY_ID = 'example-id';
const SECRET = 'example-secret';
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest();
const escaped = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());

// What both call the canonical request, from the headers that the request says were signed.
function canonical(request, body, names) {
  const url = new URL(request.url, 'http://host');
  const query = [...url.searchParams].map(([name, value]) => `${escaped(name)}=${escaped(value)}`).sort().join('&');
  const lines = names.map((name) => `${name}:${(request.headers[name] ?? '').trim()}\n`).join('');
  return [request.method, url.pathname, query, lines, names.join(';'), sha256(body)].join('\n');
}

function aliyunSigned(request, body) {
  const found = /^ACS3-HMAC-SHA256 Credential=([^,]*),SignedHeaders=([^,]*),Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '');
  if (!found || found[1] !== KEY_ID) return 'InvalidAccessKeyId.NotFound';
  const names = found[2].split(';');
  const owed = Object.keys(request.headers).filter((name) => name === 'host' || name === 'content-type' || name.startsWith('x-acs-'));
  if (owed.sort().join(';') !== found[2]) return 'InvalidSignedHeaders';
  if (request.headers['x-acs-content-sha256'] !== sha256(body)) return 'InvalidContent';
  if (Math.abs(Date.parse(request.headers['x-acs-date']) - Date.now()) > 15 * 60e3) return 'InvalidTimeStamp.Expired';
  if (!/^[0-9a-f]{32}$/.test(request.headers['x-acs-signature-nonce'])) return 'InvalidNonce';
  const toSign = 'ACS3-HMAC-SHA256\n' + sha256(canonical(request, body, names));
  return hmac(SECRET, toSign).toString('hex') === found[3] ? null : 'SignatureDoesNotMatch';
}

function tencentSigned(request, body, service) {
  const found = /^TC3-HMAC-SHA256 Credential=([^/]*)\/([\d-]*)\/(\w+)\/tc3_request, SignedHeaders=([^,]*), Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? '');
  if (!found || found[1] !== KEY_ID) return 'AuthFailure.SecretIdNotFound';
  const time = Number(request.headers['x-tc-timestamp']);
  const day = new Date(time * 1000).toISOString().slice(0, 10);
  if (Math.abs(time * 1000 - Date.now()) > 5 * 60e3 || day !== found[2]) return 'AuthFailure.SignatureExpire';
  const scope = `${day}/${service}/tc3_request`;
  const toSign = ['TC3-HMAC-SHA256', time, scope, sha256(canonical(request, body, found[4].split(';')))].join('\n');
  const key = hmac(hmac(hmac('TC3' + SECRET, day), service), 'tc3_request');
  return found[3] === service && hmac(key, toSign).toString('hex') === found[5] ? null : 'AuthFailure.SignatureFailure';
}

function aliyun(request, body) {
  const form = new URLSearchParams(body.toString());
  const service = form.get('Service') ?? new URL(request.url, 'http://host').searchParams.get('Service');
  const { content = '' } = JSON.parse(form.get('ServiceParameters') ?? '{}');
  say({ action: request.headers['x-acs-action'], service, characters: [...content].length });
  const wrong = aliyunSigned(request, body);
  if (wrong) return [403, { Code: wrong, Message: 'refused' }];
  if (content.includes('babble')) return [200, { Code: 500, Message: 'internal error' }];
  if (request.headers['x-acs-action'] === 'MultiModalGuardForBase64') {
    const red = shownRed(form.get('ImageBase64Str'));
    const detail = { Type: 'contentModeration', Level: red ? 'high' : 'none', Suggestion: red ? 'block' : 'pass',
      Result: [{ Label: red ? 'violent_incidents' : 'nonLabel', Confidence: red ? 91.5 : 0 }] };
    return [200, { Code: 200, Data: { Suggestion: detail.Suggestion, RiskLevel: detail.Level, Detail: [detail] } }];
  }
  if ([...content].length > (service === 'llm_response_moderation' ? 5000 : 2000)) return [200, { Code: 400, Message: 'content is too long' }];
  const label = content.includes('rabble') ? 'political_n' : content.includes('perhaps') ? 'inappropriate_profanity' : 'nonLabel';
  const level = { political_n: 'high', inappropriate_profanity: 'medium', nonLabel: 'none' }[label];
  return [200, { Code: 200, Message: 'OK', Data: { RiskLevel: level,
    Result: [label === 'nonLabel' ? { Label: label } : { Label: label, Confidence: level === 'high' ? 99.2 : 61, RiskWords: 'x' }] } }];
}

function tencent(request, body) {
  const action = request.headers['x-tc-action'];
  const asked = JSON.parse(body.toString());
  const text = Buffer.from(asked.Content ?? '', 'base64').toString();
  say({ action, biz: asked.BizType ?? '', region: request.headers['x-tc-region'], characters: [...text].length });
  const wrong = tencentSigned(request, body, action === 'ImageModeration' ? 'ims' : 'tms');
  if (wrong) return [200, { Response: { Error: { Code: wrong, Message: 'refused' } } }];
  if (text.includes('babble')) return [200, { Response: { Error: { Code: 'InternalError', Message: '' } } }];
  const bad = action === 'ImageModeration' ? shownRed(asked.FileContent) : text.includes('rabble');
  const unsure = text.includes('perhaps');
  return [200, { Response: { Suggestion: bad ? 'Block' : unsure ? 'Review' : 'Pass',
    Label: bad ? 'Terror' : unsure ? 'Abuse' : 'Normal', SubLabel: '', Score: bad ? 97 : unsure ? 60 : 99, RequestId: '1' } }];
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts);
    const [status, answer] = request.headers['x-acs-action'] ? aliyun(request, body) : tencent(request, body);
    response.statusCode = status;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(answer));
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`));
