// What a benchmark ran on. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// The machine, the libraries and the build, for benchmarks and `doctor`.
struct MachineDescription: Encodable {
    /// What computes.
    var device: String
    var processor: String
    var cores: Int
    var threads: Int
    var memoryGB: Double
    var vectorUnits: String
    var blas: String
    var blasKernel: String
    var build: String
    var version: String

    init(device: any Device) {
        let cpuinfo = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        func field(_ name: String) -> String? {
            cpuinfo.split(separator: "\n").first { $0.hasPrefix(name) }
                .flatMap { $0.split(separator: ":").last }
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let flags = Set((field("flags") ?? "").split(separator: " "))
        processor = field("model name") ?? "unknown"
        cores = ProcessInfo.processInfo.activeProcessorCount
        self.device = device.name
        threads = ((device as? CPUDevice) ?? .shared).threads
        memoryGB = Double(ProcessInfo.processInfo.physicalMemory) / 1e9
        vectorUnits =
            flags.contains("avx512vl") ? "AVX-512" : flags.contains("avx2") ? "AVX2" : "SSE2"
        blas = BLAS.configuration
        blasKernel = BLAS.core
        #if DEBUG
            build = "debug"
        #else
            build = "release"
        #endif
        version = Version.current
    }

    var text: String {
        """
        \(device)
        \(processor), \(cores) cores (\(threads) threads used), \
        \(String(format: "%.0f", memoryGB)) GB, \(vectorUnits)
        \(blas), \(blasKernel) kernels
        workbench \(version), \(build) build
        """
    }
}
