// SPDX-License-Identifier: Apache-2.0
// remote.mjs MODULES KEY CERTIFICATES (URL FILE OUT STORE)...: signs files with c2pa-node so that OUT only names URL,
// where the manifest store lies that is written to STORE. ES256 only.
import { readFileSync, writeFileSync } from 'node:fs';
import { moduleAt } from './engine.mjs';

const [modules, key, certificates, ...rows] = process.argv.slice(2);
const { Builder, LocalSigner } = await import(moduleAt(modules, '@contentauth', 'c2pa-node', 'dist', 'index.js'));
const signer = LocalSigner.newSigner(readFileSync(certificates), readFileSync(key), 'es256');
const created = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
for (let i = 0; i + 3 < rows.length; i += 4) {
    const builder = Builder.withJson({
        claim_generator_info: [{ name: 'witness', version: '1' }],
        assertions: [{
            label: 'c2pa.actions.v2',
            data: { actions: [{ action: 'c2pa.created', digitalSourceType: created }] },
        }],
    });
    builder.setNoEmbed(true);
    builder.setRemoteUrl(rows[i]);
    const store = builder.sign(signer, { path: rows[i + 1] }, { path: rows[i + 2] });
    writeFileSync(rows[i + 3], store);
    console.log(`signed ${rows[i + 2]}`);
}
