declare const ODRADEK_VERSION: string | undefined;

/** The package's version; the bundler fills it in, and from sources it is `0.0.0-dev`. */
export const VERSION: string = typeof ODRADEK_VERSION === 'string' ? ODRADEK_VERSION : '0.0.0-dev';
