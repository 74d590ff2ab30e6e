// Standard output and standard error. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Writes to the standard streams; a closed pipe ends the program quietly.
enum Output {
    /// A line of result on standard output.
    static func line(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    /// A line of explanation on standard error.
    static func note(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// One JSON document on standard output.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            if written < 0 {
                if errno == EINTR { continue }
                // The reader has gone; nobody is left to tell.
                exit(errno == EPIPE ? ExitStatus.done : ExitStatus.failure)
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
