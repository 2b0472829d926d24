// SPDX-License-Identifier: Apache-2.0
// crjson.mjs MODULES ANCHORS FILE OURS: holds the crJSON in OURS against that which c2pa-rs writes of FILE: labels,
// assertions and claims of each manifest, certificates, and the codes of the active one. Prints what differs; ends with
// 0 when nothing does.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { settingsFor, wasmReader } from './engine.mjs';

const [modules, anchors, file, mine] = process.argv.slice(2);
const read = await wasmReader(modules);
const answer = (await read(file, settingsFor(readFileSync(anchors, 'utf8')))).crJson();
const theirs = typeof answer === 'string' ? JSON.parse(answer) : answer;
const ours = JSON.parse(readFileSync(mine, 'utf8'));

// c2pa-rs writes empty padding where there is none.
function bare(value) {
    if (Array.isArray(value)) {
        return value.map(bare);
    }
    if (value === null || typeof value !== 'object') {
        return value;
    }
    return Object.fromEntries(Object.entries(value).filter(([name, each]) => name !== 'pad' || each !== "b64''")
        .map(([name, each]) => [name, bare(each)]));
}

let failed = false;
function same(what, a, b) {
    if (!isDeepStrictEqual(a, b)) {
        failed = true;
        console.log(`NOT ${what}\n  ${JSON.stringify(a)}\n  ${JSON.stringify(b)}`);
    }
}

same('context', ours['@context'], theirs['@context']);
same('labels', ours.manifests.map((each) => each.label), theirs.manifests.map((each) => each.label));
ours.manifests.forEach((each, index) => {
    const other = theirs.manifests[index];
    same(`assertions ${index}`, bare(each.assertions), bare(other.assertions));
    same(`claim ${index}`, bare(each['claim.v2']), bare(other['claim.v2']));
    same(`algorithm ${index}`, each.signature.algorithm.toLowerCase(), other.signature.algorithm);
    for (const name of ['serialNumber', 'issuer', 'subject']) {
        same(`${name} ${index}`, each.signature.certificateInfo[name], other.signature.certificateInfo[name]);
    }
});
const codes = (manifest, kind) => [...new Set(manifest.validationResults[kind].map((each) => each.code))].sort();
for (const kind of ['success', 'informational', 'failure']) {
    same(kind, codes(ours.manifests[0], kind), codes(theirs.manifests[0], kind));
}
console.log(`${ours.manifests.length} manifests`);
process.exit(failed ? 1 : 0);
