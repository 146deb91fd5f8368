// Salesforce's own reading of ops/salesforce: every file is known, parsed, and converted into what a deployment sends.
// Knows nothing of any org; exits 1 with a line for each thing that is wrong.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import sdr from '@salesforce/source-deploy-retrieve';

const { ComponentSet, MetadataConverter } = sdr;
const folder = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../../salesforce'));
const source = join(folder, 'force-app');
const project = JSON.parse(readFileSync(join(folder, 'sfdx-project.json'), 'utf8'));
const wrong = [];

const every = (path) =>
  readdirSync(path).flatMap((name) => (statSync(join(path, name)).isDirectory() ? every(join(path, name)) : join(path, name)));

const components = ComponentSet.fromSource(source);
components.sourceApiVersion = project.sourceApiVersion;
const known = new Set();
for (const component of components.getSourceComponents()) {
  for (const one of [component, ...component.getChildren()]) {
    if (one.xml) known.add(one.xml);
    const parsed = one.parseXmlSync();
    if (!parsed || !Object.keys(parsed).length) wrong.push(`${one.xml}: is not XML of ${one.type.name}`);
  }
}
for (const path of every(source)) if (!known.has(path)) wrong.push(`${path}: no metadata that Salesforce knows`);

const target = mkdtempSync(join(tmpdir(), 'tierwise-sfdx-'));
try {
  const { packagePath } = await new MetadataConverter().convert(components, 'metadata', {
    type: 'directory', outputDirectory: target, genUniqueDir: false,
  });
  const manifest = readFileSync(join(packagePath, 'package.xml'), 'utf8');
  const members = [...manifest.matchAll(/<members>([^<]+)<\/members>/g)].map((match) => match[1]);
  const names = components.getSourceComponents().toArray()
    .flatMap((component) => [component, ...component.getChildren()])
    .filter((one) => one.type.name !== 'CustomObject')
    .map((one) => one.fullName);
  for (const name of names) if (!members.includes(name)) wrong.push(`${name}: is not in the manifest of the deployment`);
  const converted = every(packagePath).map((path) => path.slice(packagePath.length + 1)).sort();
  console.log(JSON.stringify({ api: project.sourceApiVersion, components: names.length, files: known.size, converted }, null, 2));
} finally {
  rmSync(target, { recursive: true, force: true });
}
for (const line of wrong) console.error(line);
process.exit(wrong.length ? 1 : 0);
