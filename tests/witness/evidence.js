// SPDX-License-Identifier: Apache-2.0
// evidence.js MODULES FILE VKEY: asks @sigstore/verify about an evidence file of ours. Its modules for
// checkpoints and proofs are internal, so they are loaded by their paths. Then changes the evidence in
// every way that must not go unnoticed and asks again. Prints one line for each answer; ends with 0
// when the evidence was accepted and every change refused.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [modules, file, vkey] = process.argv.slice(2);
const tlog = path.resolve(modules, '@sigstore', 'verify', 'dist', 'tlog');
const { verifyCheckpoint } = require(path.join(tlog, 'checkpoint.js'));
const { verifyMerkleInclusion } = require(path.join(tlog, 'merkle.js'));

// "NAME+ID+BASE64": an Ed25519 key behind the type 0x01.
const keyParts = vkey.trim().split('+');
const raw = Buffer.from(keyParts.slice(2).join('+'), 'base64').subarray(1);
const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
const log = {
    logID: Buffer.from(keyParts[1], 'hex'),
    baseURL: keyParts[0],
    publicKey: crypto.createPublicKey({ key: spki, format: 'der', type: 'spki' }),
};

function read(text) {
    const [head, ...rest] = text.split('\n\n');
    const [proof, ...checkpoint] = rest;
    const lines = proof.split('\n');
    return {
        entry: Buffer.from(head.split('\n')[1].slice('entry '.length), 'base64'),
        index: lines[1].slice('index '.length),
        hashes: lines.slice(2).map((line) => Buffer.from(line, 'base64')),
        checkpoint: checkpoint.join('\n\n'),
    };
}

function accepts(evidence) {
    const entry = {
        canonicalizedBody: evidence.entry,
        inclusionProof: {
            logIndex: evidence.index,
            hashes: evidence.hashes,
            checkpoint: { envelope: evidence.checkpoint },
        },
    };
    try {
        verifyMerkleInclusion(entry, verifyCheckpoint(entry, [log]));
        return true;
    } catch (error) {
        return false;
    }
}

function flip(bytes, at) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    return changed;
}

const good = read(fs.readFileSync(file, 'utf8'));
const changes = {
    'a bit of the entry': { ...good, entry: flip(good.entry, 0) },
    'the index below': { ...good, index: String(Number(good.index) - 1) },
    'the index above': { ...good, index: String(Number(good.index) + 1) },
    'a hash missing': { ...good, hashes: good.hashes.slice(1) },
    'a hash more': { ...good, hashes: [...good.hashes, good.hashes[0]] },
    'the size': { ...good, checkpoint: good.checkpoint.replace(/\n(\d+)\n/, (m, n) => `\n${Number(n) + 1}\n`) },
    'the root': { ...good, checkpoint: good.checkpoint.replace(/\n[A-Za-z0-9+/]{4}/, '\nAAAA') },
    'the origin': { ...good, checkpoint: 'x' + good.checkpoint },
};
good.hashes.forEach((hash, i) => {
    changes[`a bit of hash ${i}`] = { ...good, hashes: good.hashes.map((h, j) => (j === i ? flip(h, 31) : h)) };
});

let failed = !accepts(good);
console.log(`${failed ? 'REFUSED' : 'accepted'}: the evidence`);
for (const [what, evidence] of Object.entries(changes)) {
    const wrong = accepts(evidence);
    failed = failed || wrong;
    console.log(`${wrong ? 'ACCEPTED' : 'refused'}: ${what}`);
}
process.exit(failed ? 1 : 0);
