import { describe, expect, it } from 'vitest';
import { brandOf, contrastOf, INK, SURFACE, sourceOf } from '../../../src/routes/pages/branding.ts';
import { styleSheet } from '../../../src/routes/pages/style.ts';

const channel = (value: number): string => value.toString(16).padStart(2, '0');

/** Colours from all over the cube, its corners among them. */
const COLOURS = [0, 51, 102, 119, 153, 204, 255].flatMap((red) =>
  [0, 51, 102, 119, 153, 204, 255].flatMap((green) =>
    [0, 85, 128, 170, 255].map((blue) => `#${channel(red)}${channel(green)}${channel(blue)}`),
  ),
);

const colourOf = (primaryColor: string) => brandOf({ logoUrl: null, primaryColor });

/** The value of a custom property, in the light scheme and in the dark one. */
const valuesOf = (style: string, property: string): string[] =>
  [...style.matchAll(new RegExp(`--${property}: (#[0-9a-f]{6});`, 'g'))].map(([, value = '']) => value);

describe('the contrast of two colours', () => {
  it('is what WCAG says', () => {
    expect(contrastOf('#000000', '#ffffff')).toBeCloseTo(21, 5);
    expect(contrastOf('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
    expect(contrastOf('#ffffff', '#767676')).toBeCloseTo(4.54, 2);
    expect(contrastOf('#1f6feb', '#1F6FEB')).toBe(1);
  });
});

describe('a tenant’s colour', () => {
  it('has a text on it that is read easily, whatever colour it is', () => {
    for (const colour of COLOURS) {
      expect(contrastOf(colour, colourOf(colour).onColour), colour).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('has an edge that stands out from the page, whatever colour it is', () => {
    for (const colour of COLOURS) {
      const { edgeInLight, edgeInDark } = colourOf(colour);
      expect(contrastOf(edgeInLight, SURFACE.light), colour).toBeGreaterThanOrEqual(3);
      expect(contrastOf(edgeInDark, SURFACE.dark), colour).toBeGreaterThanOrEqual(3);
    }
  });

  it('is our own where there is none, or one that is no colour', () => {
    const own = brandOf(null).colour;
    for (const colour of ['red', '#fff', '#12345g', '#123456;}', 'url(https://evil.example)', '#123456\n']) {
      expect(colourOf(colour).colour, colour).toBe(own);
    }
    expect(colourOf('#1F6FEB').colour).toBe('#1F6FEB');
  });
});

describe('the style sheet', () => {
  const style = styleSheet(brandOf(null));
  const surfaces = valuesOf(style, 'surface');

  it('has texts that are read easily, in the light and in the dark', () => {
    for (const [scheme, surface] of surfaces.entries()) {
      for (const text of ['ink', 'soft', 'wrong']) {
        expect(contrastOf(valuesOf(style, text)[scheme] ?? '', surface), text).toBeGreaterThanOrEqual(4.5);
      }
      for (const [text, ground] of [
        ['ink', 'page'],
        ['wrong', 'wrong-surface'],
        ['good', 'good-surface'],
      ] as const) {
        const contrast = contrastOf(valuesOf(style, text)[scheme] ?? '', valuesOf(style, ground)[scheme] ?? '');
        expect(contrast, text).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  it('has inputs whose edges are seen, in the light and in the dark', () => {
    expect(surfaces).toEqual([SURFACE.light, SURFACE.dark]);
    expect(valuesOf(style, 'ink')).toEqual([INK.light, INK.dark]);
    for (const [scheme, surface] of surfaces.entries()) {
      expect(contrastOf(valuesOf(style, 'line')[scheme] ?? '', surface)).toBeGreaterThanOrEqual(3);
    }
  });
});

describe('the source of a URL in a policy', () => {
  it('is its origin', () => {
    expect(sourceOf('https://cdn.example.com/logo.svg?v=1')).toBe('https://cdn.example.com');
    expect(sourceOf('https://cdn.example.com:8443/')).toBe('https://cdn.example.com:8443');
    expect(sourceOf('https://bäckerei.example/')).toBe('https://xn--bckerei-5wa.example');
    expect(sourceOf('http://demo.localhost:8787/logo.png')).toBe('http://demo.localhost:8787');
    expect(sourceOf('http://127.0.0.1:9000/logo.png')).toBe('http://127.0.0.1:9000');
  });

  it('is none for what is neither https nor local, or would end the directive or the policy', () => {
    for (const url of [
      'http://cdn.example.com/logo.png',
      'data:image/svg+xml,<svg/>',
      'javascript:alert(1)',
      '//cdn.example.com/logo.png',
      'https://user:password@cdn.example.com/',
      "https://a;script-src'unsafe-inline'/logo.png",
      'https://a,b.example/logo.png',
      'https://*.example.com/logo.png',
      '',
    ]) {
      expect(sourceOf(url), url).toBeNull();
    }
  });
});
