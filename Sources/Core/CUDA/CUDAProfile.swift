// Where a GPU's time goes: kernels, products and copies timed by events.
// SPDX-License-Identifier: Apache-2.0
import CCUDA
import Foundation

/// Times everything given to the stream and writes a table every five seconds of the run.
///
/// On when `WORKBENCH_CUDA_PROFILE` names a file. An event before and one after each piece of work
/// add about two microseconds to it; what lies between pieces is the stream waiting for the host.
/// Work inside of a graph is not seen, its replay is one piece. Used under the device's lock.
final class CUDAProfile {
    /// What is known of a piece of work beside its time.
    enum Work {
        case none
        /// Floating-point operations.
        case operations(Double)
        case bytes(Double)
    }

    private typealias Event = UnsafeMutableRawPointer

    private struct Mark {
        var name: String
        var work: Work
        var start: Event
        var end: Event
    }

    private struct Entry {
        var calls = 0
        var milliseconds = 0.0
        var operations = 0.0
        var bytes = 0.0
    }

    private static let intervalSeconds = 5.0
    /// Pieces after which events are read, so that they stay few.
    private static let mostPending = 8192
    /// Rows of a table; the rest are one row.
    private static let mostRows = 70

    private let path: String
    private var text = ""
    private var pool: [Event] = []
    private var pending: [Mark] = []
    private var entries: [String: Entry] = [:]
    private var first: Event?
    private var elapsed = 0.0
    private var written = ProcessInfo.processInfo.systemUptime
    private let began = ProcessInfo.processInfo.systemUptime

    /// - Throws: ``CUDAError/failed(operation:reason:)`` when the file cannot be written.
    init(path: String) throws(CUDAError) {
        self.path = path
        try write()
    }

    /// The profile that the environment asks for; a second GPU's goes into a file of its own.
    static func asked(
        _ environment: [String: String], ordinal: Int
    ) throws(CUDAError) -> CUDAProfile? {
        guard let path = environment["WORKBENCH_CUDA_PROFILE"], !path.isEmpty else { return nil }
        return try CUDAProfile(path: ordinal == 0 ? path : "\(path).\(ordinal)")
    }

    deinit {
        // What is still pending ends with the process, when nobody is left to tell of a failure.
        try? finishInterval()
    }

    func measure(
        _ name: String, _ work: Work, stream: UnsafeMutableRawPointer,
        _ body: () throws(CUDAError) -> Void
    ) throws(CUDAError) {
        let mark = Mark(name: name, work: work, start: try event(), end: try event())
        try CUDAError.check(ccuda_event_record(mark.start, stream), "record an event")
        try body()
        try CUDAError.check(ccuda_event_record(mark.end, stream), "record an event")
        pending.append(mark)
        let isDue = ProcessInfo.processInfo.systemUptime - written >= Self.intervalSeconds
        if isDue {
            try finishInterval()
        } else if pending.count >= Self.mostPending {
            try collect()
        }
    }

    private func event() throws(CUDAError) -> Event {
        if let found = pool.popLast() { return found }
        var made: Event?
        try CUDAError.check(ccuda_event_create(&made), "make an event")
        guard let made else {
            throw .failed(operation: "make an event", reason: "the driver gave none")
        }
        return made
    }

    /// Waits for the pending work and adds its times up.
    private func collect() throws(CUDAError) {
        guard let last = pending.last else { return }
        try CUDAError.check(ccuda_event_wait(last.end), "finish its work")
        let first = first ?? pending[0].start
        self.first = first
        elapsed = try milliseconds(first, last.end)
        for mark in pending {
            var entry = entries[mark.name] ?? Entry()
            entry.calls += 1
            entry.milliseconds += try milliseconds(mark.start, mark.end)
            switch mark.work {
            case .none: break
            case .operations(let count): entry.operations += count
            case .bytes(let count): entry.bytes += count
            }
            entries[mark.name] = entry
            if mark.start != first { pool.append(mark.start) }
            pool.append(mark.end)
        }
        pending.removeAll(keepingCapacity: true)
    }

    private func milliseconds(_ start: Event, _ end: Event) throws(CUDAError) -> Double {
        var value: Float = 0
        try CUDAError.check(ccuda_event_milliseconds(&value, start, end), "read an event")
        return Double(value)
    }

    private func finishInterval() throws(CUDAError) {
        try collect()
        let now = ProcessInfo.processInfo.systemUptime
        if !entries.isEmpty { text += table(from: written - began, to: now - began) }
        written = now
        entries = [:]
        if let first { pool.append(first) }
        first = nil
        elapsed = 0
        try write()
    }

    private func table(from: Double, to: Double) -> String {
        let sorted = entries.sorted {
            ($0.value.milliseconds, $1.key) > ($1.value.milliseconds, $0.key)
        }
        let busy = sorted.reduce(0) { $0 + $1.value.milliseconds }
        let total = max(elapsed, busy)
        var lines = [
            String(
                format: "%.1f s to %.1f s: %.1f ms, of which %.1f ms waiting for the host", from,
                to, total, max(0, elapsed - busy)),
            "  share   total ms    calls   mean µs  TFLOP/s   GB/s  name",
        ]
        lines += sorted.prefix(Self.mostRows).map { row($0.key, $0.value, of: total) }
        if sorted.count > Self.mostRows {
            var rest = Entry()
            for (_, entry) in sorted.dropFirst(Self.mostRows) {
                rest.calls += entry.calls
                rest.milliseconds += entry.milliseconds
            }
            lines.append(row("\(sorted.count - Self.mostRows) others", rest, of: total))
        }
        return lines.joined(separator: "\n") + "\n\n"
    }

    private func row(_ name: String, _ entry: Entry, of total: Double) -> String {
        let time = max(entry.milliseconds, 1e-9)
        func rate(_ work: Double, _ unit: Double) -> String {
            work > 0 ? String(format: "%.1f", work / time / unit) : ""
        }
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        return [
            right(String(format: "%.2f%%", 100 * entry.milliseconds / max(total, 1e-9)), 7),
            right(String(format: "%.2f", entry.milliseconds), 10), right("\(entry.calls)", 8),
            right(String(format: "%.1f", 1000 * entry.milliseconds / Double(entry.calls)), 9),
            right(rate(entry.operations, 1e9), 8), right(rate(entry.bytes, 1e6), 6), " " + name,
        ].joined(separator: " ")
    }

    private func write() throws(CUDAError) {
        do {
            try AtomicWrite.write(text, to: path)
        } catch {
            throw .failed(operation: "write its profile", reason: "\(error)")
        }
    }
}

extension CUDADevice {
    /// Gives work to the stream inside of `perform`, timed when a profile is asked for.
    func timed(
        _ name: @autoclosure () -> String, _ work: @autoclosure () -> CUDAProfile.Work = .none,
        _ body: () throws(CUDAError) -> Void
    ) throws(CUDAError) {
        followsKernel = false
        // Events recorded while a graph is captured would become part of it.
        guard let profile, capture == nil else { return try body() }
        try profile.measure(name(), work(), stream: stream, body)
    }
}
