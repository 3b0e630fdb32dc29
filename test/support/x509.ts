/** Loads the polyfill first, which `@peculiar/x509` insists on. */
import 'reflect-metadata';

export * as x509 from '@peculiar/x509';
