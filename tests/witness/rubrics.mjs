// SPDX-License-Identifier: Apache-2.0
// rubrics.mjs MODULES ANCHORS FOLDER FILE...: holds the rubrics of C2PA's conformance programme (YAML over
// crJSON, from github.com/c2pa-org/conformance-public, in FOLDER) against signed files. The crJSON is
// c2pa-rs's, the language of the rubrics Adobe's json-formula. Prints one line for each statement that does
// not hold and one sum for each file and rubric; ends with 0 when all hold and each file says that a model
// made all of it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { moduleAt, settingsFor, wasmReader } from './engine.mjs';

const [modules, anchors, folder, ...files] = process.argv.slice(2);
const { default: JsonFormula, dataTypes } =
    await import(moduleAt(modules, '@adobe', 'json-formula', 'src', 'json-formula.js'));
const { default: yaml } = await import(moduleAt(modules, 'js-yaml', 'dist', 'js-yaml.mjs'));
const read = await wasmReader(modules);
const settings = settingsFor(readFileSync(anchors, 'utf8'));

function load(name) {
    const [head, statements] = yaml.loadAll(readFileSync(path.join(folder, name), 'utf8'));
    return { variables: head.variables ?? {}, expressions: head.expressions ?? {}, statements };
}

// A rubric over one object. Its own functions see the root, and their arguments as $args.
function evaluator(rubric, root) {
    const functions = {};
    const globals = { ...rubric.variables, $expected_spec_version: '2.4' };
    const search = (expression, args) =>
        new JsonFormula(functions).search(expression, root, { ...globals, $args: args });
    for (const [name, expression] of Object.entries(rubric.expressions)) {
        functions[name] = {
            _func: (args) => search(expression, args),
            _signature: [{ types: [dataTypes.TYPE_ANY], variadic: true, optional: true }],
        };
    }
    return (expression) => search(expression, []);
}

const isEmpty = (value) => value === null || value === undefined || value === false || value.length === 0;

// Of all statements: how many hold. A statement with failIfMatched or warnIfMatched holds when nothing matches.
function count(file, name, root) {
    const rubric = load(name);
    const evaluate = evaluator(rubric, root);
    let held = 0;
    for (const statement of rubric.statements) {
        const value = evaluate(statement.expression);
        const wantsNothing = statement.failIfMatched || statement.warnIfMatched;
        const holds = wantsNothing ? isEmpty(value) : value === true;
        held += holds ? 1 : 0;
        if (!holds) {
            console.log(`NOT ${path.basename(file)} ${statement.id} ${JSON.stringify(value)}`);
        }
    }
    console.log(`${path.basename(file)} ${name}: ${held} of ${rubric.statements.length}`);
    return held === rubric.statements.length;
}

// What the signals rubric finds in a manifest, by the last part of its ids.
function signals(manifest) {
    const rubric = load('asset-rubric-signals-local.yml');
    const evaluate = evaluator(rubric, manifest);
    return rubric.statements.filter((each) => evaluate(each.expression) === true)
        .map((each) => each.id.split('signal_')[1]);
}

let good = files.length > 0;
for (const file of files) {
    const root = JSON.parse((await read(file, settings)).crJson());
    good = count(file, 'asset-rubric-conformance0.2-spec2.4.yml', root) && good;
    good = count(file, 'asset-rubric-integrity.yml', root) && good;
    const found = signals(root.manifests[0]);
    console.log(`${path.basename(file)} signals: ${found.join(' ')}`);
    good = found.includes('fullyGenAIMedia') && !found.includes('ambiguousActions') && good;
}
process.exit(good ? 0 : 1);
