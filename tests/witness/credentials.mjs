// SPDX-License-Identifier: Apache-2.0
// credentials.mjs [--rust] MODULES ANCHORS FILE...: asks other people's validators about the Content Credentials
// of our files, with the credential in them or in FILE.c2pa beside: c2pa-rs as a native module and as WebAssembly, which are two versions of it, and c2pa-ts,
// which shares no code with them and is left out with --rust. Prints one line an answer; ends with 0 when
// all of them are content.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { moduleAt, settingsFor, wasmReader } from './engine.mjs';

const words = process.argv.slice(2);
const rustOnly = words[0] === '--rust';
const [modules, anchors, ...files] = rustOnly ? words.slice(1) : words;
const at = (...parts) => moduleAt(modules, ...parts);
const settings = settingsFor(readFileSync(anchors, 'utf8'));

const { Reader } = await import(at('@contentauth', 'c2pa-node', 'dist', 'index.js'));
const readByWasm = await wasmReader(modules);

let failed = false;
function say(good, engine, file, words) {
    failed = failed || !good;
    console.log(`${good ? 'ok' : 'NOT'} ${engine} ${path.basename(file)} ${words}`);
}

function judge(engine, file, store) {
    const answer = typeof store === 'string' ? JSON.parse(store) : store;
    const active = answer.validation_results?.activeManifest ?? {};
    const below = (answer.validation_results?.ingredientDeltas ?? []).flatMap((each) => each.validationDeltas.failure);
    const failures = [...(active.failure ?? []), ...below].map((each) => each.code);
    const others = (active.informational ?? []).map((each) => each.code)
        .filter((code) => code !== 'signingCredential.ocsp.skipped');
    const good = answer.validation_state === 'Trusted' && failures.length === 0 && others.length === 0;
    const revocation = (active.success ?? []).map((each) => each.code).filter((code) => code.includes('.ocsp.'));
    say(good, engine, file, [answer.validation_state, ...failures, ...others, ...revocation].join(' '));
}

for (const file of files) {
    try {
        const beside = `${file}.c2pa`;
        const reader = existsSync(beside)
            ? await Reader.fromManifestDataAndAsset(readFileSync(beside), { path: file }, settings)
            : await Reader.fromAsset({ path: file }, settings);
        judge('c2pa-node', file, reader.json());
    } catch (error) {
        say(false, 'c2pa-node', file, String(error.message ?? error));
    }
    if (existsSync(`${file}.c2pa`)) {
        continue;  // the others look into files only
    }
    try {
        judge('c2pa-wasm', file, (await readByWasm(file, settings)).json());
    } catch (error) {
        say(false, 'c2pa-wasm', file, String(error.message ?? error));
    }
}

// c2pa-ts knows no trust lists; it says whether anything was changed.
const { ManifestStore } = await import(at('@trustnxt', 'c2pa-ts', 'dist', 'manifest', 'index.js'));
const assets = await import(at('@trustnxt', 'c2pa-ts', 'dist', 'asset', 'index.js'));
const { SuperBox } = await import(at('@trustnxt', 'c2pa-ts', 'dist', 'jumbf', 'index.js'));
const kinds = { jpg: 'JPEG', jpeg: 'JPEG', png: 'PNG', heic: 'BMFF', avif: 'BMFF' };
for (const file of files) {
    const kind = kinds[path.extname(file).slice(1).toLowerCase()];
    if (!kind || rustOnly || existsSync(`${file}.c2pa`)) {
        continue;
    }
    try {
        const asset = new assets[kind](readFileSync(file));
        const store = ManifestStore.read(SuperBox.fromBuffer(asset.getManifestJUMBF()));
        const result = await store.validate(asset);
        const bad = (result.statusEntries ?? []).filter((each) => each.success === false);
        say(result.isValid, 'c2pa-ts', file, bad.map((each) => each.code).join(' '));
    } catch (error) {
        say(false, 'c2pa-ts', file, String(error.message ?? error));
    }
}
process.exit(failed ? 1 : 0);
