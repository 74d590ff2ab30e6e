// Timing of one thing, several times. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// One measured thing: milliseconds, and a rate or ratio where that says more.
struct BenchRow: Encodable {
    var name: String
    /// The heading that it is printed under.
    var section: String?
    /// Median, fastest and slowest run in milliseconds; nil for figures that are no time.
    var medianMS: Double?
    var fastestMS: Double?
    var slowestMS: Double?
    /// 10⁹ floating-point operations a second at the median.
    var gflops: Double?
    /// The rate as a share of a reference measured in the same run.
    var ratio: Double?
    /// What `ratio` is relative to.
    var reference: String?
    /// A figure that is no time, with its unit.
    var value: Double?
    var unit: String?

    init(_ name: String) { self.name = name }

    init(_ name: String, seconds: Double, gflop: Double? = nil) {
        self.name = name
        value = seconds * 1e3
        unit = "ms"
        gflops = gflop.map { $0 / seconds }
    }

    init(_ name: String, value: Double, unit: String) {
        self.name = name
        self.value = value
        self.unit = unit
    }

    var figures: String {
        var parts: [String] = []
        if let medianMS, let fastestMS, let slowestMS {
            parts.append(
                String(format: "%9.3f ms  (%.3f … %.3f)", medianMS, fastestMS, slowestMS))
        }
        if let value, let unit { parts.append(String(format: "%9.3f %@", value, unit as NSString)) }
        if let gflops { parts.append(String(format: "%7.1f GFLOP/s", gflops)) }
        if let ratio, let reference {
            parts.append(String(format: "%.2f× %@", ratio, reference as NSString))
        } else if let reference {
            parts.append(reference)
        }
        return parts.joined(separator: "  ")
    }
}

/// Runs a piece of work several times and takes the median.
struct Benchmark {
    let runs: Int
    let cancellation: Cancellation

    /// Times `body` after one warm-up.
    func time(_ name: String, flop: Double? = nil, _ body: () throws -> Void) throws -> BenchRow {
        try body()
        var times: [Double] = []
        for _ in 0..<runs {
            try cancellation.check()
            let start = ProcessInfo.processInfo.systemUptime
            try body()
            times.append(ProcessInfo.processInfo.systemUptime - start)
        }
        return row(name, times: times, flop: flop)
    }

    /// Times two bodies in turn, A B A B…, so that a drifting machine drifts under both.
    ///
    /// - Parameter referenceFlop: work of the other body where it is not the same; the ratio is then
    ///   one of rates.
    func compare(
        _ name: String, flop: Double, to reference: String, referenceFlop: Double? = nil,
        _ body: () throws -> Void, against other: () throws -> Void
    ) throws -> BenchRow {
        try body()
        try other()
        var mine: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<runs {
            try cancellation.check()
            var start = ProcessInfo.processInfo.systemUptime
            try body()
            mine.append(ProcessInfo.processInfo.systemUptime - start)
            start = ProcessInfo.processInfo.systemUptime
            try other()
            theirs.append(ProcessInfo.processInfo.systemUptime - start)
        }
        var result = row(name, times: mine, flop: flop)
        // The median of the pairwise ratios, not the ratio of medians.
        let work = referenceFlop.map { flop / $0 } ?? 1
        result.ratio = Self.median(zip(mine, theirs).map { $1 / $0 }) * work
        result.reference = reference
        return result
    }

    func row(_ name: String, times: [Double], flop: Double? = nil) -> BenchRow {
        var row = BenchRow(name)
        let median = Self.median(times)
        row.medianMS = median * 1e3
        row.fastestMS = (times.min() ?? 0) * 1e3
        row.slowestMS = (times.max() ?? 0) * 1e3
        if let flop { row.gflops = flop / median / 1e9 }
        return row
    }

    static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1
            ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
