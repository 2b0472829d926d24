// SPDX-License-Identifier: Apache-2.0
// provenance.mjs MODULES KEY CHAIN FILE [ROUNDS [OUT [checked]]]: how long c2pa-node takes to sign a file, in one
// process; from memory to memory, or from FILE to OUT. `checked`: it verifies what it wrote, as it does by default.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, key, chain, file, rounds = '50', out, checked] = process.argv.slice(2);
const entry = path.resolve(modules, '@contentauth', 'c2pa-node', 'dist', 'index.js');
const { Builder, LocalSigner } = await import(pathToFileURL(entry).href);
const signer = LocalSigner.newSigner(readFileSync(chain), readFileSync(key), 'es256');
const type = { png: 'image/png', jpg: 'image/jpeg', mp4: 'video/mp4' }[path.extname(file).slice(1)];
const bytes = out === undefined ? readFileSync(file) : null;
const created = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
const times = [];
for (let i = 0; i < Number(rounds); ++i) {
    const start = process.hrtime.bigint();
    const builder = Builder.withJson(
        {
            claim_generator_info: [{ name: 'bench', version: '1' }],
            assertions: [{ label: 'c2pa.actions.v2', data: { actions: [{ action: 'c2pa.created', digitalSourceType: created }] } }],
        },
        { verify: { verify_after_sign: checked !== undefined }, builder: { thumbnail: { enabled: false } } },
    );
    if (bytes === null) {
        builder.sign(signer, { path: file, mimeType: type }, { path: out });
    } else {
        builder.sign(signer, { buffer: bytes, mimeType: type }, { buffer: null });
    }
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
}
times.sort((a, b) => a - b);
console.log(`sign ${times[times.length >> 1].toFixed(3)} ms (median of ${rounds})`);
