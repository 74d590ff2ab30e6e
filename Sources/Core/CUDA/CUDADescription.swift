// What CUDA finds on this machine. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// A GPU as the driver describes it.
public struct CUDADescription: Sendable, Equatable {
    public let name: String
    /// "9.0".
    public let computeCapability: String
    /// Streaming multiprocessors.
    public let multiprocessors: Int
    /// Bytes in all.
    public let memory: Int

    /// Every GPU, in the driver's order, and the newest CUDA that the driver knows, "13.0".
    ///
    /// - Throws: ``CUDAError`` when the driver is missing or does not start.
    public static func all() throws(CUDAError) -> (devices: [CUDADescription], version: String) {
        try CUDALibrary.driver.open()
        var (count, version): (Int32, Int32) = (0, 0)
        try CUDAError.check(ccuda_initialize(&count, &version), "start the driver")
        var devices: [CUDADescription] = []
        for ordinal in 0..<count {
            var found = ccuda_description()
            try CUDAError.check(ccuda_describe(ordinal, &found), "describe GPU \(ordinal)")
            devices.append(CUDADescription(found))
        }
        return (devices, "\(version / 1000).\(version % 1000 / 10)")
    }

    init(_ found: ccuda_description) {
        var found = found
        name = withUnsafeBytes(of: &found.name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        computeCapability = "\(found.major).\(found.minor)"
        multiprocessors = Int(found.multiprocessors)
        memory = found.memory
    }
}

extension CUDADevice {
    /// Bytes of the GPU's memory that are free and in all, other programs counted; nil if the driver
    /// does not say.
    public var memoryInfo: (free: Int, total: Int)? {
        let found: (Int, Int)?? = perform { () throws(CUDAError) in
            var (free, total) = (0, 0)
            return ccuda_memory_info(&free, &total) == 0 ? (free, total) : nil
        }
        return found ?? nil
    }
}
