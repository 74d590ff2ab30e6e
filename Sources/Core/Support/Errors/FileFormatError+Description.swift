// The sentences of FileFormatError.
// SPDX-License-Identifier: Apache-2.0

extension FileFormatError: CustomStringConvertible {
    /// One or two sentences: which file, what is wrong, what to do.
    public var description: String {
        switch self {
        case .notFound(let path):
            return "\(path): there is no such file; check the path."
        case .wrongKind(let path, let expected):
            return "\(path): this is not \(expected); give the path of \(expected)."
        case .unreadable(let path, let reason):
            return "\(path): cannot be read (\(reason)); check its permissions."
        case .empty(let path):
            return "\(path): the file is empty (0 bytes); get it again."
        case .notRecognised(let path, let expected):
            return "\(path): the first bytes are not those of \(expected); "
                + "give a file of that kind."
        case .truncated(let path, let what, let needed, let found):
            return "\(path): \(what) needs \(needed) bytes, but only \(found) are there; "
                + "the file is cut off or its sizes are wrong: get it again."
        case .tooLarge(let path, let what, let found, let limit):
            return "\(path): \(what) is \(found), more than the \(limit) accepted; "
                + "the file is damaged or not meant for this program."
        case .malformed(let path, let offset, let reason):
            let place = offset.map { " at byte \($0)" } ?? ""
            // Reasons that are sentences of other errors bring their own full stop.
            let clause = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
            return "\(path): damaged\(place): \(clause); get the file again."
        case .unsupported(let path, let what, let hint):
            return "\(path): \(what) is not supported; \(hint)."
        case .notWritable(let path, let reason):
            return "\(path): cannot be written (\(reason)); nothing was changed there."
        }
    }
}
