// SPDX-License-Identifier: Apache-2.0
// credentials.mjs [--rust] MODULES ANCHORS FILE...: asks other people's validators about the Content Credentials
// of our files: c2pa-rs as a native module and as WebAssembly, which are two versions of it, and c2pa-ts,
// which shares no code with them and is left out with --rust. Prints one line an answer; ends with 0 when
// all of them are content.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const words = process.argv.slice(2);
const rustOnly = words[0] === '--rust';
const [modules, anchors, ...files] = rustOnly ? words.slice(1) : words;
const at = (...parts) => pathToFileURL(path.resolve(modules, ...parts)).href;

// The WebAssembly reads from a Blob, and waits for it, which only workers of browsers can.
const bytesOf = new WeakMap();
class SyncBlob extends Blob {
    constructor(bytes) {
        super([bytes]);
        bytesOf.set(this, bytes);
    }
    slice(begin = 0, end = this.size) {
        return new SyncBlob(bytesOf.get(this).subarray(begin, end));
    }
}
globalThis.FileReaderSync = class {
    readAsArrayBuffer(blob) {
        const bytes = bytesOf.get(blob);
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    }
};

const types = {
    jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp', gif: 'image/gif',
    tiff: 'image/tiff', tif: 'image/tiff', svg: 'image/svg+xml', wav: 'audio/wav', avi: 'video/avi',
    mp3: 'audio/mpeg', flac: 'audio/flac', heic: 'image/heic', avif: 'image/avif', m4a: 'audio/mp4',
    mp4: 'video/mp4', mov: 'video/quicktime',
};
const pem = readFileSync(anchors, 'utf8');
const settings = {
    verify: { verify_trust: true, remote_manifest_fetch: false },
    trust: {
        trust_anchors: pem,
        trust_config: '1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1',
    },
};

const { Reader } = await import(at('@contentauth', 'c2pa-node', 'dist', 'index.js'));
const wasm = await import(at('@contentauth', 'c2pa-wasm', 'pkg', 'c2pa.js'));
wasm.initSync({ module: readFileSync(path.resolve(modules, '@contentauth', 'c2pa-wasm', 'pkg', 'c2pa_bg.wasm')) });

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
    say(good, engine, file, [answer.validation_state, ...failures, ...others].join(' '));
}

for (const file of files) {
    const extension = path.extname(file).slice(1).toLowerCase();
    try {
        judge('c2pa-node', file, (await Reader.fromAsset({ path: file }, settings)).json());
    } catch (error) {
        say(false, 'c2pa-node', file, String(error.message ?? error));
    }
    try {
        const blob = new SyncBlob(readFileSync(file));
        judge('c2pa-wasm', file, (await wasm.WasmReader.fromBlob(types[extension], blob, JSON.stringify(settings))).json());
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
    if (!kind || rustOnly) {
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
