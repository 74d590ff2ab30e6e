// Calls into the C codecs with their error buffer.
// SPDX-License-Identifier: Apache-2.0
import CCodecs

/// Runs a C codec; a non-zero result becomes the text it left in the error buffer.
func codecFailure(_ call: (UnsafeMutablePointer<CChar>) -> Int32) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CC_ERROR_SIZE)) { buffer in
        buffer.initialize(repeating: 0)
        guard let start = buffer.baseAddress, call(start) != 0 else { return nil }
        return String(cString: start)
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes as C sees them.
    var octets: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

/// Largest picture decoded, in pixels; 64 Mi.
let pictureLimit: UInt64 = 64 << 20
