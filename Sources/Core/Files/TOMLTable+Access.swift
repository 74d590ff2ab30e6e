// Typed reading of TOML tables, with errors that name the key and its place.
// SPDX-License-Identifier: Apache-2.0

extension TOMLTable {
    /// A key that the reader does not know, with its place and the nearest known name.
    public struct UnknownKey: Sendable, Equatable {
        /// Dotted path of the key.
        public let path: String
        /// Where the key stands.
        public let position: TOMLPosition
        /// The known name closest to it, if one is close.
        public let nearest: String?
    }

    /// The keys that are not among `known`, in the order of the file.
    public func unknownKeys(known: some Sequence<String>) -> [UnknownKey] {
        let names = Array(known)
        let set = Set(names)
        return keys.filter { !set.contains($0) }.map { key in
            UnknownKey(
                path: fullPath(of: key), position: keyPositions[key] ?? position,
                nearest: nearestName(to: key, among: names))
        }
    }

    /// Refuses keys that are not among `known`.
    ///
    /// - Throws: the problem `unknownKey` for the first of them.
    public func requireOnly(keys known: some Sequence<String>) throws(TOMLError) {
        guard let first = unknownKeys(known: known).first else { return }
        throw TOMLError(
            .unknownKey(first.path, nearest: first.nearest), at: first.position, file: file)
    }

    /// An error about the value of `key`, for readers with rules of their own.
    ///
    /// - Parameter expected: completes the sentence "… must be ", e.g. "a power of two".
    public func invalidValue(_ key: String, expected: String) -> TOMLError {
        let value = values[key]
        return TOMLError(
            .invalidValue(fullPath(of: key), expected: expected),
            at: value?.position ?? position, file: file)
    }

    // MARK: Required values

    /// The text of `key`. - Throws: `missingKey`, `wrongKind`.
    public func string(_ key: String) throws(TOMLError) -> String {
        try string(from: required(key), key)
    }

    /// The whole number of `key`. - Throws: `missingKey`, `wrongKind`, `outOfRange`.
    public func int(_ key: String, in range: ClosedRange<Int>? = nil) throws(TOMLError) -> Int {
        try int(from: required(key), key, range)
    }

    /// The number of `key`; whole numbers count too.
    ///
    /// - Throws: `missingKey`, `wrongKind`, `outOfRange` (also for NaN when a range is given).
    public func double(
        _ key: String, in range: ClosedRange<Double>? = nil
    ) throws(TOMLError) -> Double {
        try double(from: required(key), key, range)
    }

    /// The truth value of `key`. - Throws: `missingKey`, `wrongKind`.
    public func bool(_ key: String) throws(TOMLError) -> Bool {
        try bool(from: required(key), key)
    }

    /// The table under `key`. - Throws: `missingKey`, `wrongKind`.
    public func table(_ key: String) throws(TOMLError) -> TOMLTable {
        try table(from: required(key), key)
    }

    /// The list under `key`, its elements of any kind. - Throws: `missingKey`, `wrongKind`.
    public func array(_ key: String) throws(TOMLError) -> [TOMLValue] {
        try array(from: required(key), key)
    }

    // MARK: Values with a default

    /// The text of `key`, or `fallback` if the key is absent.
    public func string(_ key: String, default fallback: String) throws(TOMLError) -> String {
        guard let value = values[key] else { return fallback }
        return try string(from: value, key)
    }

    /// The whole number of `key`, or `fallback` if the key is absent.
    public func int(
        _ key: String, default fallback: Int, in range: ClosedRange<Int>? = nil
    ) throws(TOMLError) -> Int {
        guard let value = values[key] else { return fallback }
        return try int(from: value, key, range)
    }

    /// The number of `key`, or `fallback` if the key is absent.
    public func double(
        _ key: String, default fallback: Double, in range: ClosedRange<Double>? = nil
    ) throws(TOMLError) -> Double {
        guard let value = values[key] else { return fallback }
        return try double(from: value, key, range)
    }

    /// The truth value of `key`, or `fallback` if the key is absent.
    public func bool(_ key: String, default fallback: Bool) throws(TOMLError) -> Bool {
        guard let value = values[key] else { return fallback }
        return try bool(from: value, key)
    }

    // MARK: Values that may be absent

    /// The text of `key`, or nil if the key is absent.
    public func stringIfPresent(_ key: String) throws(TOMLError) -> String? {
        guard let value = values[key] else { return nil }
        return try string(from: value, key)
    }

    /// The whole number of `key`, or nil if the key is absent.
    public func intIfPresent(
        _ key: String, in range: ClosedRange<Int>? = nil
    ) throws(TOMLError) -> Int? {
        guard let value = values[key] else { return nil }
        return try int(from: value, key, range)
    }

    /// The number of `key`, or nil if the key is absent.
    public func doubleIfPresent(
        _ key: String, in range: ClosedRange<Double>? = nil
    ) throws(TOMLError) -> Double? {
        guard let value = values[key] else { return nil }
        return try double(from: value, key, range)
    }

    /// The table under `key`, or nil if the key is absent.
    public func tableIfPresent(_ key: String) throws(TOMLError) -> TOMLTable? {
        guard let value = values[key] else { return nil }
        return try table(from: value, key)
    }

    // MARK: Lists of one kind

    /// The list of whole numbers under `key`.
    public func ints(_ key: String, in range: ClosedRange<Int>? = nil) throws(TOMLError) -> [Int] {
        var result: [Int] = []
        for (i, value) in try array(key).enumerated() {
            result.append(try int(from: value, "\(key)[\(i)]", range))
        }
        return result
    }

    /// The list of numbers under `key`.
    public func doubles(
        _ key: String, in range: ClosedRange<Double>? = nil
    ) throws(TOMLError) -> [Double] {
        var result: [Double] = []
        for (i, value) in try array(key).enumerated() {
            result.append(try double(from: value, "\(key)[\(i)]", range))
        }
        return result
    }

    /// The list of texts under `key`.
    public func strings(_ key: String) throws(TOMLError) -> [String] {
        var result: [String] = []
        for (i, value) in try array(key).enumerated() {
            result.append(try string(from: value, "\(key)[\(i)]"))
        }
        return result
    }

    /// The list of tables under `key`, for instance the `[[key]]` tables.
    public func tables(_ key: String) throws(TOMLError) -> [TOMLTable] {
        var result: [TOMLTable] = []
        for (i, value) in try array(key).enumerated() {
            result.append(try table(from: value, "\(key)[\(i)]"))
        }
        return result
    }

    // MARK: Conversions

    private func required(_ key: String) throws(TOMLError) -> TOMLValue {
        if let value = values[key] { return value }
        let nearest = nearestName(to: key, among: keys)
        throw TOMLError(.missingKey(fullPath(of: key), nearest: nearest), at: position, file: file)
    }

    private func wrongKind(
        _ value: TOMLValue, _ key: String, _ expected: TOMLKind
    ) -> TOMLError {
        TOMLError(
            .wrongKind(fullPath(of: key), expected: expected, found: value.kind),
            at: value.position, file: file)
    }

    private func string(from value: TOMLValue, _ key: String) throws(TOMLError) -> String {
        guard case .string(let text) = value.content else { throw wrongKind(value, key, .string) }
        return text
    }

    private func int(
        from value: TOMLValue, _ key: String, _ range: ClosedRange<Int>?
    ) throws(TOMLError) -> Int {
        guard case .integer(let number) = value.content else {
            throw wrongKind(value, key, .integer)
        }
        if let range, !range.contains(number) {
            throw TOMLError(
                .outOfRange(
                    fullPath(of: key), lower: "\(range.lowerBound)", upper: "\(range.upperBound)",
                    found: "\(number)"),
                at: value.position, file: file)
        }
        return number
    }

    private func double(
        from value: TOMLValue, _ key: String, _ range: ClosedRange<Double>?
    ) throws(TOMLError) -> Double {
        let number: Double
        switch value.content {
        case .float(let float): number = float
        case .integer(let integer): number = Double(integer)
        default: throw wrongKind(value, key, .float)
        }
        if let range, !range.contains(number) {
            throw TOMLError(
                .outOfRange(
                    fullPath(of: key), lower: "\(range.lowerBound)", upper: "\(range.upperBound)",
                    found: "\(number)"),
                at: value.position, file: file)
        }
        return number
    }

    private func bool(from value: TOMLValue, _ key: String) throws(TOMLError) -> Bool {
        guard case .boolean(let flag) = value.content else { throw wrongKind(value, key, .boolean) }
        return flag
    }

    private func table(from value: TOMLValue, _ key: String) throws(TOMLError) -> TOMLTable {
        guard case .table(let table) = value.content else { throw wrongKind(value, key, .table) }
        return table
    }

    private func array(from value: TOMLValue, _ key: String) throws(TOMLError) -> [TOMLValue] {
        guard case .array(let elements) = value.content else { throw wrongKind(value, key, .array) }
        return elements
    }
}
