// What can be wrong with a file as a file, before its content means anything to a model.
// SPDX-License-Identifier: Apache-2.0

/// A file that cannot be opened, read, decoded or written.
///
/// The sentences are in `FileFormatError+Description.swift`.
public enum FileFormatError: Error, Equatable, Sendable {
    /// There is nothing at the path.
    case notFound(path: String)
    /// The path is a folder where a file is wanted, or the other way round.
    case wrongKind(path: String, expected: String)
    /// The system refused to open or read it; `reason` is the system's own word.
    case unreadable(path: String, reason: String)
    /// The file has no bytes.
    case empty(path: String)
    /// The first bytes are not those of any format that is accepted here.
    case notRecognised(path: String, expected: String)
    /// The file ends before `what` does.
    case truncated(path: String, what: String, needed: Int, found: Int)
    /// Something is larger than a limit that protects the program.
    case tooLarge(path: String, what: String, found: Int, limit: Int)
    /// The content contradicts the format; `offset` in bytes where known.
    case malformed(path: String, offset: Int?, reason: String)
    /// Well formed, but a variant that is not read; `hint` says what to do instead.
    case unsupported(path: String, what: String, hint: String)
    /// The system refused to write; nothing is left behind.
    case notWritable(path: String, reason: String)
}
