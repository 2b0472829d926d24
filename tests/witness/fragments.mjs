// SPDX-License-Identifier: Apache-2.0
// fragments.mjs MODULES ANCHORS INIT FRAGMENT...: asks c2pa-rs (as WebAssembly; c2pa-node has no call for it)
// about each fragment of a movie with its initialization segment. Ends with 0 when it trusts them all.
import { readFileSync } from 'node:fs';
import { fragmentReader, settingsFor } from './engine.mjs';

const [modules, anchors, init, ...fragments] = process.argv.slice(2);
const settings = settingsFor(readFileSync(anchors, 'utf8'));
const read = await fragmentReader(modules);

let failed = false;
for (const fragment of fragments) {
    let words;
    let good = false;
    try {
        const answer = (await read(init, fragment, settings)).json();
        const store = typeof answer === 'string' ? JSON.parse(answer) : answer;
        const active = store.validation_results?.activeManifest ?? {};
        const failures = (active.failure ?? []).map((each) => each.code);
        const others = (active.informational ?? []).map((each) => each.code)
            .filter((code) => code !== 'signingCredential.ocsp.skipped');
        const matched = (active.success ?? []).some((each) => each.code === 'assertion.bmffHash.match');
        good = store.validation_state === 'Trusted' && matched && failures.length === 0 && others.length === 0;
        words = [store.validation_state, ...failures, ...others].join(' ');
    } catch (error) {
        words = String(error.message ?? error);
    }
    failed = failed || !good;
    console.log(`${good ? 'ok' : 'NOT'} ${fragment} ${words}`);
}
process.exit(failed ? 1 : 0);
