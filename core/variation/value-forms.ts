import type { PointOfVariation } from './points-of-variation';

/**
 * A UUID, or the 32 digits of a machine-id, in the ways in which programs write it: with and without dashes, in lower and
 * upper case, as sixteen bytes, and as the GUID of a partition table (RFC 9562, section 4; UEFI 2.10, appendix A).
 */
export function uuidForms(name: string, label: string, value: string | undefined): PointOfVariation[] {
  if (value === undefined || value === '') return [];
  const digits = value.replaceAll('-', '').toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) {
    // The serial number of FAT (`ABCD-1234`), the disk signature of an MBR and its partitions (`1a2b3c4d-01`).
    if (value.length < MIN_SHORT_LENGTH) return [];
    return [...new Set([value, value.toLowerCase(), value.toUpperCase()])].map((form, index) => ({
      name: index === 0 ? name : `${name}#form${index}`,
      value: form,
      label,
      strength: 'word',
      where: 'configuration',
    }));
  }
  if (/^(.)\1*$/.test(digits)) return [];
  const dashed = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const bytes = Buffer.from(digits, 'hex');
  const mixed = Buffer.from(bytes);
  mixed.subarray(0, 4).reverse();
  mixed.subarray(4, 6).reverse();
  mixed.subarray(6, 8).reverse();
  const own = value.includes('-') ? 'dashed' : 'plain';
  const form = (kind: string, text: string, isBinary?: true): PointOfVariation => ({
    name: kind === own ? name : `${name}#${kind}`,
    value: text,
    label,
    strength: 'sure',
    where: 'anywhere',
    ...(isBinary && { isBinary }),
  });
  const forms = [
    form('dashed', dashed),
    form('plain', digits),
    form('bytes', bytes.toString('latin1'), true),
    form('guid', mixed.toString('latin1'), true),
  ];
  // Digits alone are the same in both cases.
  if (dashed !== dashed.toUpperCase())
    forms.push(form('dashed-upper', dashed.toUpperCase()), form('plain-upper', digits.toUpperCase()));
  return forms;
}

const MIN_SHORT_LENGTH = 8;

/** A MAC address as programs write it; given with colons, lower case. */
export function macForms(name: string, value: string): PointOfVariation[] {
  const digits = value.replaceAll(':', '');
  if (!/^[0-9a-f]{12}$/.test(digits) || /^(.)\1*$/.test(digits)) return [];
  const dashed = value.replaceAll(':', '-');
  const forms = { '': value, '#dashed': dashed, '#plain': digits };
  return Object.entries(forms).flatMap(([suffix, lower]) => {
    const form = (ending: string, text: string): PointOfVariation => ({
      name: name + suffix + ending,
      value: text,
      label: 'MAC address',
      strength: 'sure',
      where: 'anywhere',
    });
    const upper = lower.toUpperCase();
    return upper === lower ? [form('', lower)] : [form('', lower), form('-upper', upper)];
  });
}
