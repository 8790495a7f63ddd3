import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { classificationRules, withRules } from './classification-rules';

/** Writes the tables of rules into docs/classification.md from those in core. Run it when a rule changes; a test tells when. */
const file = path.join(__dirname, '..', 'docs', 'classification.md');
writeFileSync(file, withRules(readFileSync(file, 'utf8'), classificationRules()));
console.log(`Wrote ${path.relative(process.cwd(), file)}`);
