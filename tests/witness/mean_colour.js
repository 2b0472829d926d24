// SPDX-License-Identifier: Apache-2.0
// The mean colour of a PNG of 8 bits in RGB, read with zlib and the five filters of its specification.
'use strict';
const zlib = require('zlib');

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((each) => Math.abs(guess - each));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

exports.meanColour = (png) => {
  let width = 0;
  const data = [];
  for (let at = 8; at < png.length;) {
    const size = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + size);
    if (type === 'IHDR') {
      width = body.readUInt32BE(0);
      if (body[8] !== 8 || body[9] !== 2) throw new Error('no RGB of 8 bits');
    }
    if (type === 'IDAT') data.push(body);
    at += 12 + size;
  }
  const rows = zlib.inflateSync(Buffer.concat(data));
  const row = width * 3;
  const sums = [0, 0, 0];
  let before = Buffer.alloc(row);
  let count = 0;
  for (let at = 0; at < rows.length; at += row + 1) {
    const filter = rows[at];
    const now = Buffer.from(rows.subarray(at + 1, at + 1 + row));
    for (let i = 0; i < row; i += 1) {
      const left = i < 3 ? 0 : now[i - 3];
      const corner = i < 3 ? 0 : before[i - 3];
      const add = [0, left, before[i], (left + before[i]) >> 1, paeth(left, before[i], corner)][filter];
      now[i] = (now[i] + add) & 0xff;
      sums[i % 3] += now[i];
    }
    before = now;
    count += width;
  }
  return sums.map((sum) => sum / count);
};

// Whether most of it is red.
exports.isRed = (base64) => {
  const [red, green, blue] = exports.meanColour(Buffer.from(base64, 'base64'));
  return red > 150 && green < 80 && blue < 80;
};
