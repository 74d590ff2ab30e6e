// What the system says about a process's memory. SPDX-License-Identifier: Apache-2.0
import Foundation

/// Resident memory of processes, in bytes, by the kernel's own account.
enum ResidentMemory {
    /// The most this process has had resident since its start or the last ``resetPeak()``.
    static var peakBytes: Int { field("VmHWM", of: "/proc/self/status") ?? 0 }

    /// What this process has resident now.
    static var bytes: Int { field("VmRSS", of: "/proc/self/status") ?? 0 }

    /// Starts the peak anew from what is resident now.
    ///
    /// - Returns: false where the system does not allow it; the peak then covers the whole process.
    @discardableResult
    static func resetPeak() -> Bool {
        let descriptor = open("/proc/self/clear_refs", O_WRONLY)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return write(descriptor, "5", 1) == 1
    }

    /// What one process has resident, and its share where others map the same pages.
    struct Rollup: Encodable {
        /// All resident pages.
        var resident: Int
        /// Every page divided by the number of processes that map it.
        var proportional: Int
        /// Pages that no other process maps.
        var `private`: Int

        /// Of a running process of the same user.
        init?(process: Int32) {
            let path = "/proc/\(process)/smaps_rollup"
            guard let resident = field("Rss", of: path), let pss = field("Pss", of: path),
                let clean = field("Private_Clean", of: path),
                let dirty = field("Private_Dirty", of: path)
            else { return nil }
            self.resident = resident
            proportional = pss
            self.private = clean + dirty
        }
    }

    /// A line `Name:   123 kB` of a file of the system.
    private static func field(_ name: String, of path: String) -> Int? {
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first)
            .flatMap { Int($0) }.map { $0 * 1024 }
    }
}
