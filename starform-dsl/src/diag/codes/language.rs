//! Codes 2xxx to 6xxx that schema, references, environments and values raise.
//! Pure. Numbers are never reused; 5001 to 5009 belong to the limits in `syntax`.
//! Read on in `super` for the form of a row.

codes! { LANGUAGE;
}
