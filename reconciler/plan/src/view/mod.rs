//! A plan for people and for machines; every view is a function of the document and nothing else.
//!
//! Pure. The JSON view is the document itself ([`crate::document::Plans`]).
//!
//! | module | what it makes |
//! |---|---|
//! | [`values`] | one value, path or piece of user text, so that nothing in it can deceive |

pub mod values;
