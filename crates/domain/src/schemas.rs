//! What values look like on the wire, for the description of the API. The rules themselves are the types'
//! own; a schema says what it can of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::appendix::{APPENDIX_BYTES_MAX, APPENDIX_VERSIONS_MAX};
use crate::fields::FIELD_NAME_CHARS_MAX;
use crate::{
    AppendixBytes, AppendixId, ChosenId, CommentId, CommentText, CompanyName, ContentType,
    CustomerId, Date, Definition, Email, Fields, FileName, Form, HelpText, InvitationId,
    InvitationToken, Label, Name, NumberPrefix, PersonName, RecordId, RecordNumber, RecordTitle,
    RecordType, ResetToken, Sha256, ShortName, SignInName, SignUpToken, TimeZone, Timestamp,
    TokenHash, UnitName, UserId, Version, VersionNumber,
};

macro_rules! schemas {
    ($($type:ident: $schema:expr;)+) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )+};
}

/// One line with something visible in it, and nothing that controls or reorders text.
fn line(chars_max: u32, meaning: &str) -> Schema {
    const LINE: &str =
        r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]";
    const VISIBLE: &str = r"[^\s\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0]";
    json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": chars_max,
        "pattern": format!("^{LINE}*{VISIBLE}{LINE}*$"),
        "description": meaning,
    })
}

fn ulid(meaning: &str) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": "^[0-7][0-9A-HJKMNP-TV-Z]{25}$",
        "description": format!("{meaning} A ULID."),
        "examples": ["01KEZ00000RECRDAAAAAAAAAAA"],
    })
}

schemas! {
    CustomerId: ulid("A company.");
    UserId: ulid("A person's account with one company.");
    InvitationId: ulid("An invitation.");
    RecordId: ulid("A record.");
    AppendixId: ulid("An appendix.");
    CommentId: ulid("A comment.");
    CommentText: json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 10000,
        "pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*[^\s\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0][^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*$",
        "description": "What somebody says: some lines.",
    });
    RecordTitle: line(200, "What a record is about: one line.");
    CompanyName: line(200, "A company's name: one line.");
    PersonName: line(100, "A person's name: one line.");
    FileName: json_schema!({
        "type": "string",
        "minLength": 1,
        "maxLength": 150,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]*[^\s\u0000-\u001f\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u180b-\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0/\\.][^\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]*$",
        "description": "A file's name: one line, without a path.",
    });
    RecordType: json_schema!({
        "type": "string",
        "pattern": "^[a-z][a-z0-9_]{0,39}$",
        "description": "The kind of a record, in your own words: service_order.",
    });
    Name: json_schema!({
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9_]{0,39}$",
        "description": "A name for programs: in_progress.",
    });
    Label: line(100, "What people see: one line.");
    HelpText: line(500, "What explains it: one line.");
    UnitName: line(20, "The unit of a number.");
    NumberPrefix: json_schema!({
        "type": "string",
        "pattern": "^[A-Z][A-Z0-9]{0,9}$",
        "description": "What numbers of records start with: DEV.",
    });
    RecordNumber: json_schema!({
        "type": "string",
        "description": "What people call a record.",
        "examples": ["DEV-1042"],
    });
    Date: json_schema!({
        "type": "string",
        "format": "date",
        "pattern": "^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
        "description": "A day of the calendar.",
        "examples": ["2026-12-24"],
    });
    Email: json_schema!({
        "type": "string",
        "maxLength": 254,
        "pattern": r"^[!-?A-~]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
        "description": "An e-mail address in ASCII. Upper and lower case are the same.",
    });
    InvitationToken: json_schema!({
        "type": "string",
        "pattern": "^am1i_[A-Za-z0-9_-]{85}[AQgw]$",
        "description": "What opens an invitation: it is in the link.",
    });
    ResetToken: json_schema!({
        "type": "string",
        "pattern": "^am1r_[A-Za-z0-9_-]{64}$",
        "description": "What lets somebody set a password: it is in the link.",
    });
    SignUpToken: json_schema!({
        "type": "string",
        "pattern": "^am1s_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$",
        "description": "What lets somebody sign up under their address: it is in the link.",
    });
    TimeZone: json_schema!({
        "type": "string",
        "description": "A time zone by its IANA name, such as Europe/Stockholm.",
        "examples": ["Europe/Stockholm"],
    });
    TokenHash: json_schema!({
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{64}$",
        "description": "A session, by the hash of its token.",
    });
    SignInName: json_schema!({
        "type": "string",
        "maxLength": 254,
        "pattern": r"^([!-?A-~]{1,64}@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+|[A-Za-z0-9][A-Za-z0-9._-]{0,63}@[A-Za-z][A-Za-z0-9-]{0,28}[A-Za-z0-9])$",
        "description": "What a person logs in with: an e-mail address, or name@company with the company's short name. \
                        Upper and lower case are the same.",
        "examples": ["eva@example.com", "eva@verkstad"],
    });
    ShortName: json_schema!({
        "type": "string",
        "pattern": "^[A-Za-z][A-Za-z0-9-]{0,28}[A-Za-z0-9]$",
        "description": "What a company is called in the names of its people: verkstad, as in eva@verkstad.",
    });
    ContentType: json_schema!({
        "type": "string",
        "maxLength": 127,
        "pattern": r"^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$",
        "description": "A media type without parameters: image/jpeg.",
    });
    AppendixBytes: json_schema!({
        "type": "integer",
        "minimum": 1,
        "maximum": APPENDIX_BYTES_MAX,
        "description": "How many bytes a version has.",
    });
    Sha256: json_schema!({
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{64}$",
        "description": "The SHA-256 of the bytes, as hexadecimal digits.",
    });
    VersionNumber: json_schema!({
        "type": "integer",
        "minimum": 1,
        "maximum": APPENDIX_VERSIONS_MAX,
        "description": "The number of a version of an appendix: 1, 2, 3.",
    });
    Version: json_schema!({
        "type": "integer",
        "minimum": 1,
        "description": "1 when created, and one more with each change.",
    });
    Timestamp: json_schema!({
        "type": "string",
        "format": "date-time",
        "description": "In UTC, with milliseconds.",
        "examples": ["2026-01-15T08:00:00.000Z"],
    });
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<FieldValue>(),
            "propertyNames": { "minLength": 1, "maxLength": FIELD_NAME_CHARS_MAX },
            "description": "A JSON object of your own: at most 64 KiB and eight levels, each name once.",
        })
    }
}

/// A value within fields.
struct FieldValue;

impl JsonSchema for FieldValue {
    fn schema_name() -> Cow<'static, str> {
        "FieldValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<Self>();
        json_schema!({
            "type": ["null", "boolean", "number", "string", "array", "object"],
            "minimum": i64::MIN,
            "maximum": u64::MAX,
            "items": value,
            "additionalProperties": value,
            "propertyNames": { "minLength": 1, "maxLength": FIELD_NAME_CHARS_MAX },
            "description": "Anything that JSON has. Whole numbers fit 64 bits, others are doubles.",
        })
    }
}

impl<I: JsonSchema> JsonSchema for ChosenId<I> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        I::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<I>()
    }
}

/// What is stored is what was sent; a later release may have sent more.
impl JsonSchema for Definition {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Definition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Form>()
    }
}
