import type { Tenant } from '../../services.ts';
import { webUrl } from '../fields.ts';

/** How a tenant's pages look: safe to be put into a style sheet and into a policy. */
export type Brand = {
  logo: { url: string; origin: string } | null;
  /** What the tenant's colour fills, and what is written on it. */
  colour: string;
  onColour: string;
  /** The edge of what the colour fills, so that it stands out from the page (WCAG 2.2, 1.4.11). */
  edgeInLight: string;
  edgeInDark: string;
};

const DEFAULT_COLOUR = '#1f4e79';
const BLACK = '#000000';
const WHITE = '#ffffff';

/** What the forms stand on, and what is written there: see style.ts. */
export const SURFACE = { light: WHITE, dark: '#1a2027' } as const;
export const INK = { light: '#1b1f24', dark: '#f0f3f6' } as const;

/** For a tenant, or for nobody in particular. What is set is checked again: a page depends on it being what it should. */
export const brandOf = (branding: Tenant['branding'] | null): Brand => {
  const { logoUrl = null, primaryColor = null } = branding ?? {};
  const colour = primaryColor !== null && /^#[0-9a-f]{6}$/i.test(primaryColor) ? primaryColor : DEFAULT_COLOUR;
  return {
    logo: logoUrl === null ? null : logoAt(logoUrl),
    colour,
    // One of the two always has a contrast of 4.58 or more.
    onColour: contrastOf(colour, WHITE) >= contrastOf(colour, BLACK) ? WHITE : BLACK,
    edgeInLight: edgeOf(colour, SURFACE.light, INK.light),
    edgeInDark: edgeOf(colour, SURFACE.dark, INK.dark),
  };
};

/** The source expression of a URL's origin (CSP 3, 2.3.1), or null for one that cannot stand in a policy. */
export const sourceOf = (url: string): string | null => {
  if (!webUrl.safeParse(url).success) return null;
  const { origin } = new URL(url);
  // A host may hold a semicolon or a comma, which end a directive and a policy.
  return /^https?:\/\/[a-z0-9.-]+(:\d+)?$/.test(origin) ? origin : null;
};

/** The contrast ratio of two colours like `#1f6feb` (WCAG 2.2), from 1 to 21. */
export const contrastOf = (a: string, b: string): number => {
  const [lighter, darker] = [luminanceOf(a), luminanceOf(b)].sort((one, other) => other - one);
  return ((lighter ?? 0) + 0.05) / ((darker ?? 0) + 0.05);
};

const logoAt = (url: string): Brand['logo'] => {
  const origin = sourceOf(url);
  return origin === null ? null : { url, origin };
};

const LEAST_EDGE_CONTRAST = 3;

const edgeOf = (colour: string, surface: string, ink: string): string =>
  contrastOf(colour, surface) >= LEAST_EDGE_CONTRAST ? colour : ink;

const luminanceOf = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const share = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
