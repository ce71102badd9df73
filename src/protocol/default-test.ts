import { defaultExpression, type FieldLayout, type StructLayout } from './layout.ts';

/** An expression that is true if `value` is given and is not the field's default. */
export function differs(value: string, field: FieldLayout): string {
  return `${value} !== undefined && ${differsFromDefault(value, field)}`;
}

function differsFromDefault(value: string, field: FieldLayout): string {
  if (field.stated === null || field.type === 'records') return `${value} !== null`;
  switch (field.type) {
    case 'array':
    case 'bytes':
      return `(${value} === null || ${value}.length !== 0)`;
    case 'struct':
      return `(${value} === null || !plain${(field.element as StructLayout).id}(${value}))`;
    case 'wideInt64':
      return `${value} != ${defaultExpression(field)}`;
    default:
      return `${value} !== ${defaultExpression(field)}`;
  }
}
