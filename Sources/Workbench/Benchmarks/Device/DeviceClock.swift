// Timing of work on a device that computes later than it is called.
// SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// Times pieces of work by moments in the device's own order.
struct DeviceClock {
    let device: any Device
    let cancellation: Cancellation

    /// Seconds of each of `runs` runs after `warmUps` that do not count.
    func times(runs: Int, warmUps: Int = 2, _ body: () throws -> Void) throws -> [Double] {
        for _ in 0..<warmUps { try body() }
        try device.throwPendingError()
        var moments = [device.moment()]
        for _ in 0..<runs {
            try cancellation.check()
            try body()
            moments.append(device.moment())
        }
        let times = zip(moments.dropFirst(), moments).map { $0.seconds(since: $1) }
        try device.throwPendingError()
        return times
    }

    /// The rate of large products with operands in the device's own type, in operations a second.
    func productRate() throws -> Double {
        let n = 8192
        var generator = RandomGenerator(seed: 3)
        // Random numbers: zeros run faster than data do.
        let row = Tensor.normal([n], generator: &generator, device: device)
        let column = Tensor.normal([n, 1], generator: &generator, device: device)
        let x = (column * row).cast(to: device.operandType)
        let w = (column * 0.5 + row).cast(to: device.operandType)
        let times = try times(runs: 10) {
            _ = device.linear(x, w, nil, as: device.operandType)
        }
        return 2 * pow(Double(n), 3) / Benchmark.median(times)
    }
}

extension BenchRow {
    /// A median with extremes.
    init(_ name: String, times: [Double], flop: Double? = nil) {
        self.init(name)
        medianMS = Benchmark.median(times) * 1e3
        fastestMS = (times.min() ?? 0) * 1e3
        slowestMS = (times.max() ?? 0) * 1e3
        gflops = flop.map { $0 / Benchmark.median(times) / 1e9 }
    }
}
