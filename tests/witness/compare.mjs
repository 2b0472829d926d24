// SPDX-License-Identifier: Apache-2.0
// compare.mjs [--stricter] MODULES PROGRAM ANCHORS FILE...: what c2pa-rs and `colophon verify` say of the Content Credentials
// of files that neither of us need have made. One line a file; ends with 0 when they agree on all of them.
// Files that c2pa-rs cannot read at all must not be called intact by us. With --stricter it is enough that we
// call nothing intact that it does not.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { settingsFor, wasmReader } from './engine.mjs';

const words = process.argv.slice(2);
const stricter = words[0] === '--stricter';
const [modules, program, anchors, ...files] = stricter ? words.slice(1) : words;
const read = await wasmReader(modules);
const settings = settingsFor(readFileSync(anchors, 'utf8'));

async function theirs(file) {
    try {
        const answer = (await read(file, settings)).json();
        const store = typeof answer === 'string' ? JSON.parse(answer) : answer;
        const active = store.validation_results?.activeManifest ?? {};
        return { state: store.validation_state, codes: (active.failure ?? []).map((each) => each.code) };
    } catch (error) {
        const words = String(error.message ?? error);
        const none = words.includes('JumbfNotFound') || words.includes('no JUMBF data found');
        return { state: none ? 'None' : 'Unreadable', codes: [words.slice(0, 80)] };
    }
}

function ours(file) {
    let out;
    try {
        out = execFileSync(program, ['verify', '--json', '--marks', 'provenance', '--trust-list', anchors, file],
            { stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
        out = error.stdout;  // the exit code tells the verdict
    }
    const answer = JSON.parse(out.toString() || '{}');
    const mark = answer.provenance ?? {};
    const codes = (answer.findings ?? []).filter((each) => each.code.startsWith('provenance.'))
        .map((each) => each.code);
    const state = answer.provenance === undefined ? 'Unreadable' : !mark.found ? 'None'
        : mark.trusted && mark.intact ? 'Trusted' : mark.intact ? 'Valid' : 'Invalid';
    return { state, codes };
}

let different = 0;
for (const file of files) {
    const [a, b] = [await theirs(file), ours(file)];
    const intact = b.state === 'Valid' || b.state === 'Trusted';
    const same = a.state === b.state || (!intact && (stricter || a.state === 'Unreadable'));
    different += same ? 0 : 1;
    console.log(`${same ? 'same' : 'NOT'} ${path.basename(file)} ${a.state} (${a.codes.join(' ')}) | ${b.state} (${b.codes.join(' ')})`);
}
console.log(`${files.length} files, ${different} judged differently`);
process.exit(different === 0 ? 0 : 1);
