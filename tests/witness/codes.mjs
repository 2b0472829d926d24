// SPDX-License-Identifier: Apache-2.0
// codes.mjs MODULES ANCHORS FILE...: which status codes c2pa-rs gives to each file, as WebAssembly, the newer of
// the two versions. Prints "FILE STATE CODE..." for each, with the codes of ingredients too; "FILE Error MESSAGE"
// where it reads nothing.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { settingsFor, wasmReader } from './engine.mjs';

const [modules, anchors, ...files] = process.argv.slice(2);
const settings = settingsFor(readFileSync(anchors, 'utf8'));
const read = await wasmReader(modules);

for (const file of files) {
    const name = path.basename(file);
    try {
        const answer = (await read(file, settings)).json();
        const store = typeof answer === 'string' ? JSON.parse(answer) : answer;
        const results = store.validation_results ?? {};
        const maps = [results.activeManifest ?? {}, ...(results.ingredientDeltas ?? []).map((each) => each.validationDeltas)];
        const codes = maps.flatMap((map) => [...(map.success ?? []), ...(map.informational ?? []), ...(map.failure ?? [])])
            .map((each) => each.code);
        console.log([name, store.validation_state, ...new Set(codes)].join(' '));
    } catch (error) {
        console.log(`${name} Error ${String(error.message ?? error).split('\n')[0]}`);
    }
}
