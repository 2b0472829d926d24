// SPDX-License-Identifier: Apache-2.0
// c2pa-rs as WebAssembly, for the scripts beside: reader(MODULES) gives a function from a file and settings
// to a WasmReader.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const types = {
    jpg: 'image/jpeg', jpeg: 'image/jpeg', png: 'image/png', webp: 'image/webp', gif: 'image/gif',
    tiff: 'image/tiff', tif: 'image/tiff', svg: 'image/svg+xml', wav: 'audio/wav', avi: 'video/avi',
    mp3: 'audio/mpeg', flac: 'audio/flac', heic: 'image/heic', avif: 'image/avif', m4a: 'audio/mp4',
    mp4: 'video/mp4', mov: 'video/quicktime', pdf: 'application/pdf',
};

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

export const moduleAt = (modules, ...parts) => pathToFileURL(path.resolve(modules, ...parts)).href;

// `anchors`: PEM text of what is trusted; nothing is fetched.
export function settingsFor(anchors) {
    return {
        verify: { verify_trust: true, remote_manifest_fetch: false },
        trust: {
            trust_anchors: anchors,
            trust_config: '1.3.6.1.5.5.7.3.4\n1.3.6.1.5.5.7.3.36\n1.3.6.1.4.1.62558.2.1',
        },
    };
}

async function startWasm(modules) {
    const wasm = await import(moduleAt(modules, '@contentauth', 'c2pa-wasm', 'pkg', 'c2pa.js'));
    wasm.initSync({ module: readFileSync(path.resolve(modules, '@contentauth', 'c2pa-wasm', 'pkg', 'c2pa_bg.wasm')) });
    return wasm;
}

export async function wasmReader(modules) {
    const wasm = await startWasm(modules);
    return (file, settings) => {
        const extension = path.extname(file).slice(1).toLowerCase();
        return wasm.WasmReader.fromBlob(types[extension], new SyncBlob(readFileSync(file)), JSON.stringify(settings));
    };
}

// From the initialization segment of a movie, one of its fragments, and settings.
export async function fragmentReader(modules) {
    const wasm = await startWasm(modules);
    const blob = (file) => new SyncBlob(readFileSync(file));
    return (init, fragment, settings) =>
        wasm.WasmReader.fromBlobFragment('video/mp4', blob(init), blob(fragment), JSON.stringify(settings));
}
