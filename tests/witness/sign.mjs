// SPDX-License-Identifier: Apache-2.0
// sign.mjs MODULES KEY CERTIFICATES SETTINGS FILE OUT...: signs files with c2pa-node, whose manifests hold what ours do
// not. SETTINGS are JSON for c2pa-rs: {"builder":{"prefer_box_hash":true}}. ES256 only. The credential that a
// file carries becomes its parent when SETTINGS hold {"intent":"edit"}.
import { readFileSync } from 'node:fs';
import { moduleAt } from './engine.mjs';

const [modules, key, certificates, settings, ...files] = process.argv.slice(2);
const { Builder, LocalSigner } = await import(moduleAt(modules, '@contentauth', 'c2pa-node', 'dist', 'index.js'));
const signer = LocalSigner.newSigner(readFileSync(certificates), readFileSync(key), 'es256');
const definition = {
    claim_generator_info: [{ name: 'witness', version: '1' }],
    assertions: [{
        label: 'c2pa.actions.v2',
        data: { actions: [{
            action: 'c2pa.created',
            digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
        }] },
    }],
};
for (let i = 0; i + 1 < files.length; i += 2) {
    const builder = Builder.withJson(definition, JSON.parse(settings));
    builder.sign(signer, { path: files[i] }, { path: files[i + 1] });
    console.log(`signed ${files[i + 1]}`);
}
