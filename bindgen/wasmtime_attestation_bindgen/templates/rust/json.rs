//! The JSON of the pointer/length ABI, read strictly.

#![allow(dead_code, unused_imports, unused_macros)]

use super::abi::{String, Vec};

/// How many arrays and objects may be in each other.
const DEEPEST: usize = 64;

/// What is wrong with an answer.
pub type Problem = &'static str;

const SYNTAX: Problem = "the host's answer is not JSON";
const SHAPE: Problem = "the host's answer is JSON of another type";

/// JSON; numbers are kept as text.
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    String(String),
    Array(Vec<Value<'a>>),
    Object(Vec<(String, Value<'a>)>),
}

static NULL: Value<'static> = Value::Null;

impl<'a> Value<'a> {
    /// Returns a member of an object; one that is missing is null.
    pub fn member(&self, name: &str) -> Result<&Value<'a>, Problem> {
        let Self::Object(members) = self else {
            return Err(SHAPE);
        };
        let found = members.iter().find(|(key, _)| key == name);
        Ok(found.map_or(&NULL, |(_, value)| value))
    }

    pub fn text(&self) -> Result<&str, Problem> {
        match self {
            Self::String(text) => Ok(text),
            _ => Err(SHAPE),
        }
    }

    fn items(&self) -> Result<&[Value<'a>], Problem> {
        match self {
            Self::Array(items) => Ok(items),
            _ => Err(SHAPE),
        }
    }

    /// The text of a number; integers beyond 2^53 are strings.
    fn number(&self) -> Result<&str, Problem> {
        match self {
            Self::Number(text) => Ok(text),
            Self::String(text) if Reader { text, at: 0 }.number() == Ok(text) => Ok(text),
            _ => Err(SHAPE),
        }
    }
}

/// Reads JSON (RFC 8259).
pub fn parse(bytes: &[u8]) -> Result<Value<'_>, Problem> {
    let text = core::str::from_utf8(bytes).map_err(|_| "the host's answer is not UTF-8")?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(SYNTAX);
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Problem> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(SYNTAX)
        }
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Problem> {
        self.space();
        match self.peek() {
            Some(b'{' | b'[') if depth == DEEPEST => Err("the host's answer is nested too deep"),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value<'a>, Problem> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        for (word, value) in words {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(SYNTAX)
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Problem> {
        let mut members: Vec<(String, Value<'a>)> = Vec::new();
        self.at += 1;
        self.space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.space();
            let key = self.string()?;
            if members.iter().any(|(known, _)| *known == key) {
                return Err("the host's answer names a member twice");
            }
            self.space();
            self.expect(b':')?;
            members.push((key, self.value(depth + 1)?));
            self.space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, Problem> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            self.expect(b',')?;
        }
    }

    fn digits(&mut self) -> Result<(), Problem> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(SYNTAX);
        }
        Ok(())
    }

    fn number(&mut self) -> Result<&'a str, Problem> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn string(&mut self) -> Result<String, Problem> {
        self.expect(b'"')?;
        let mut value = String::new();
        loop {
            let start = self.at;
            while !matches!(self.peek(), None | Some(b'"' | b'\\' | 0..=0x1F)) {
                self.at += 1;
            }
            value.push_str(&self.text[start..self.at]);
            if self.take(b'"') {
                return Ok(value);
            }
            self.expect(b'\\')?;
            value.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let byte = self.peek().ok_or(SYNTAX)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{C}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => return Err(SYNTAX),
        })
    }

    /// Four hexadecimal digits, or eight for a pair of surrogates.
    fn code_point(&mut self) -> Result<char, Problem> {
        let first = self.code_unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or(SYNTAX);
        }
        self.expect(b'\\')?;
        self.expect(b'u')?;
        let second = self.code_unit()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(SYNTAX);
        }
        char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(SYNTAX)
    }

    fn code_unit(&mut self) -> Result<u32, Problem> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or(SYNTAX)?;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// A type that is read from JSON.
pub trait FromJson: Sized {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem>;

    /// Reads a list of them.
    fn list(value: &Value<'_>) -> Result<Vec<Self>, Problem> {
        value.items()?.iter().map(Self::from_json).collect()
    }
}

/// A type that is written as JSON.
pub trait ToJson {
    fn write(&self, out: &mut String);

    /// Writes a list of them.
    fn write_list(list: &[Self], out: &mut String)
    where
        Self: Sized,
    {
        out.push('[');
        for (index, value) in list.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            value.write(out);
        }
        out.push(']');
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn write(&self, out: &mut String) {
        (**self).write(out);
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn push(out: &mut String, text: core::fmt::Arguments<'_>) {
    // Writing to a string never fails.
    let _ = core::fmt::Write::write_fmt(out, text);
}

impl ToJson for str {
    fn write(&self, out: &mut String) {
        out.push('"');
        for character in self.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\0'..='\u{1F}' => {
                    let code = character as usize;
                    out.push_str("\\u00");
                    out.push(char::from(HEX[code >> 4]));
                    out.push(char::from(HEX[code & 15]));
                }
                _ => out.push(character),
            }
        }
        out.push('"');
    }
}

impl ToJson for String {
    fn write(&self, out: &mut String) {
        self.as_str().write(out);
    }
}

impl FromJson for String {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        value.text().map(Into::into)
    }
}

impl ToJson for bool {
    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl FromJson for bool {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        match value {
            Value::Bool(value) => Ok(*value),
            _ => Err(SHAPE),
        }
    }
}

impl ToJson for char {
    fn write(&self, out: &mut String) {
        self.encode_utf8(&mut [0; 4]).write(out);
    }
}

impl FromJson for char {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        value.text()?.parse().map_err(|_| SHAPE)
    }
}

macro_rules! integer {
    ($($type:ty)*) => {$(
        impl ToJson for $type {
            fn write(&self, out: &mut String) {
                push(out, format_args!("{self}"));
            }
        }

        impl FromJson for $type {
            fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
                match value {
                    Value::Number(text) => text.parse().map_err(|_| SHAPE),
                    _ => Err(SHAPE),
                }
            }
        }
    )*};
}

integer! { i8 u16 i16 u32 i32 }

/// Integers that are strings beyond 2^53, where JSON's numbers lose digits.
macro_rules! long_integer {
    ($($type:ty, $magnitude:expr;)*) => {$(
        impl ToJson for $type {
            fn write(&self, out: &mut String) {
                let magnitude: fn($type) -> u64 = $magnitude;
                if magnitude(*self) <= 1 << 53 {
                    push(out, format_args!("{self}"));
                } else {
                    push(out, format_args!("\"{self}\""));
                }
            }
        }

        impl FromJson for $type {
            fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
                value.number()?.parse().map_err(|_| SHAPE)
            }
        }
    )*};
}

long_integer! {
    u64, |value| value;
    i64, |value| value.unsigned_abs();
}

macro_rules! float {
    ($($type:ty)*) => {$(
        impl ToJson for $type {
            fn write(&self, out: &mut String) {
                if self.is_nan() {
                    out.push_str("\"NaN\"");
                } else if self.is_infinite() {
                    out.push_str(if *self > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
                } else {
                    push(out, format_args!("{self:?}"));
                }
            }
        }

        impl FromJson for $type {
            fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
                match value {
                    Value::Number(text) => text.parse().map_err(|_| SHAPE),
                    Value::String(text) => match text.as_str() {
                        "NaN" => Ok(<$type>::NAN),
                        "Infinity" => Ok(<$type>::INFINITY),
                        "-Infinity" => Ok(<$type>::NEG_INFINITY),
                        _ => Err(SHAPE),
                    },
                    _ => Err(SHAPE),
                }
            }
        }
    )*};
}

float! { f32 f64 }

/// Bytes are numbers by themselves; a list of them is base64url without padding.
impl ToJson for u8 {
    fn write(&self, out: &mut String) {
        push(out, format_args!("{self}"));
    }

    fn write_list(list: &[Self], out: &mut String) {
        out.push('"');
        for chunk in list.chunks(3) {
            let bits = chunk
                .iter()
                .fold(0, |bits, byte| bits << 8 | u32::from(*byte));
            let bits = bits << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                let sextet = bits >> (18 - 6 * place) & 63;
                out.push(char::from(BASE64URL[sextet as usize]));
            }
        }
        out.push('"');
    }
}

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl FromJson for u8 {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        match value {
            Value::Number(text) => text.parse().map_err(|_| SHAPE),
            _ => Err(SHAPE),
        }
    }

    fn list(value: &Value<'_>) -> Result<Vec<Self>, Problem> {
        let text = value.text()?.as_bytes();
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
        for chunk in text.chunks(4) {
            let mut bits = 0u32;
            for byte in chunk {
                let sextet = BASE64URL.iter().position(|known| known == byte);
                bits = bits << 6 | sextet.ok_or(SHAPE)? as u32;
            }
            let unused = match chunk.len() {
                4 => 0,
                3 => 2,
                2 => 4,
                _ => return Err(SHAPE),
            };
            if bits & ((1 << unused) - 1) != 0 {
                return Err(SHAPE);
            }
            let count = chunk.len() - 1;
            let all = (bits >> unused).to_be_bytes();
            bytes.extend_from_slice(&all[4 - count..]);
        }
        Ok(bytes)
    }
}

impl<T: ToJson> ToJson for [T] {
    fn write(&self, out: &mut String) {
        T::write_list(self, out);
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self, out: &mut String) {
        T::write_list(self, out);
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        T::list(value)
    }
}

impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn write(&self, out: &mut String) {
        let items: [&T; N] = self.each_ref();
        ToJson::write_list(&items, out);
    }
}

impl<T: FromJson, const N: usize> FromJson for [T; N] {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        let items: Result<Vec<T>, Problem> = value.items()?.iter().map(T::from_json).collect();
        items?.try_into().map_err(|_| SHAPE)
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("null"),
        }
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        match value {
            Value::Null => Ok(None),
            value => T::from_json(value).map(Some),
        }
    }
}

impl ToJson for () {
    fn write(&self, out: &mut String) {
        out.push_str("null");
    }
}

impl FromJson for () {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        match value {
            Value::Null => Ok(()),
            _ => Err(SHAPE),
        }
    }
}

impl<T: ToJson, E: ToJson> ToJson for Result<T, E> {
    fn write(&self, out: &mut String) {
        match self {
            Ok(value) => {
                out.push_str("{\"ok\":");
                value.write(out);
            }
            Err(error) => {
                out.push_str("{\"err\":");
                error.write(out);
            }
        }
        out.push('}');
    }
}

impl<T: FromJson, E: FromJson> FromJson for Result<T, E> {
    fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
        match value {
            Value::Object(members) => match members.as_slice() {
                [(key, value)] if key == "ok" => T::from_json(value).map(Ok),
                [(key, value)] if key == "err" => E::from_json(value).map(Err),
                _ => Err(SHAPE),
            },
            _ => Err(SHAPE),
        }
    }
}

macro_rules! tuple {
    ($($index:tt $name:ident)*) => {
        impl<$($name: ToJson),*> ToJson for ($($name,)*) {
            fn write(&self, out: &mut String) {
                out.push('[');
                $(
                    out.push_str(if $index > 0 { "," } else { "" });
                    self.$index.write(out);
                )*
                out.push(']');
            }
        }

        impl<$($name: FromJson),*> FromJson for ($($name,)*) {
            fn from_json(value: &Value<'_>) -> Result<Self, Problem> {
                let items = value.items()?;
                if items.len() != [$($index),*].len() {
                    return Err(SHAPE);
                }
                Ok(($($name::from_json(&items[$index])?,)*))
            }
        }
    };
}

tuple! { 0 A }
tuple! { 0 A 1 B }
tuple! { 0 A 1 B 2 C }
tuple! { 0 A 1 B 2 C 3 D }
tuple! { 0 A 1 B 2 C 3 D 4 E }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F 6 G }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K }
tuple! { 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L }

/// A record as an object: `Point { "x" x, "y" y }`.
macro_rules! record {
    ($name:ident { $($key:literal $field:ident),* $(,)? }) => {
        impl json::ToJson for $name {
            #[allow(unused)]
            fn write(&self, out: &mut abi::String) {
                let mut before = "{";
                $(
                    out.push_str(before);
                    out.push_str(concat!("\"", $key, "\":"));
                    json::ToJson::write(&self.$field, out);
                    before = ",";
                )*
                out.push_str(if before == "," { "}" } else { "{}" });
            }
        }

        impl json::FromJson for $name {
            #[allow(unused)]
            fn from_json(
                value: &json::Value<'_>,
            ) -> ::core::result::Result<Self, json::Problem> {
                ::core::result::Result::Ok(Self {
                    $($field: json::FromJson::from_json(value.member($key)?)?,)*
                })
            }
        }
    };
}
pub(crate) use record;

/// A variant as `{"case":…,"value":…}`: `Shape { "empty" Empty, "circle" Circle(value) }`.
macro_rules! variant {
    ($name:ident { $($label:literal $case:ident $(($value:ident))?),* $(,)? }) => {
        impl json::ToJson for $name {
            fn write(&self, out: &mut abi::String) {
                match self {
                    $(Self::$case $(($value))? => {
                        out.push_str(concat!("{\"case\":\"", $label, "\""));
                        $(
                            out.push_str(",\"value\":");
                            json::ToJson::write($value, out);
                        )?
                    })*
                }
                out.push('}');
            }
        }

        impl json::FromJson for $name {
            fn from_json(
                value: &json::Value<'_>,
            ) -> ::core::result::Result<Self, json::Problem> {
                match value.member("case")?.text()? {
                    $($label => ::core::result::Result::Ok(Self::$case $(({
                        let $value = value.member("value")?;
                        json::FromJson::from_json($value)?
                    }))?),)*
                    _ => ::core::result::Result::Err(json::UNKNOWN),
                }
            }
        }
    };
}
pub(crate) use variant;

/// An enum as a string: `Colour { "red" Red, "green" Green }`.
macro_rules! enumeration {
    ($name:ident { $($label:literal $case:ident),* $(,)? }) => {
        impl json::ToJson for $name {
            fn write(&self, out: &mut abi::String) {
                let label = match self {
                    $(Self::$case => $label,)*
                };
                json::ToJson::write(label, out);
            }
        }

        impl json::FromJson for $name {
            fn from_json(
                value: &json::Value<'_>,
            ) -> ::core::result::Result<Self, json::Problem> {
                match value.text()? {
                    $($label => ::core::result::Result::Ok(Self::$case),)*
                    _ => ::core::result::Result::Err(json::UNKNOWN),
                }
            }
        }
    };
}
pub(crate) use enumeration;

/// Flags as a list of strings: `Access { "read" READ, "write" WRITE }`.
macro_rules! flags {
    ($name:ident { $($label:literal $flag:ident),* $(,)? }) => {
        impl json::ToJson for $name {
            fn write(&self, out: &mut abi::String) {
                let flags = [$((Self::$flag, $label)),*];
                let there = flags.iter().filter(|(flag, _)| self.contains(*flag));
                let labels: abi::Vec<&str> = there.map(|(_, label)| *label).collect();
                json::ToJson::write(&labels, out);
            }
        }

        impl json::FromJson for $name {
            fn from_json(
                value: &json::Value<'_>,
            ) -> ::core::result::Result<Self, json::Problem> {
                let labels: abi::Vec<abi::String> = json::FromJson::from_json(value)?;
                let mut flags = Self::empty();
                for label in &labels {
                    flags |= match label.as_str() {
                        $($label => Self::$flag,)*
                        _ => return ::core::result::Result::Err(json::UNKNOWN),
                    };
                }
                ::core::result::Result::Ok(flags)
            }
        }
    };
}
pub(crate) use flags;

/// A label that these bindings do not know.
pub const UNKNOWN: Problem = "the host's answer names a case that these bindings do not know";
