// SPDX-License-Identifier: Apache-2.0
// A YAML file as JSON, anchors and merges resolved:
//   node yaml.mjs MODULES FILE
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, file] = process.argv.slice(2);
const yaml = createRequire(path.join(modules, 'none.js'))('js-yaml');
console.log(JSON.stringify(yaml.load(readFileSync(file, 'utf8'))));
