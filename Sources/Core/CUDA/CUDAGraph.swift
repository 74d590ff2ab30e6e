// A whole pass as one launch: capture and replay. SPDX-License-Identifier: Apache-2.0
import CCUDA

/// Work recorded once and launched again with the same addresses and shapes.
///
/// What the pass makes lies in memory of the graph's own; what it reads from outside is kept alive.
/// To run it on other values, write them into the tensors it reads with `Device.copy(_:into:)`; the
/// results are in the tensors that the body returned, until the next replay.
public final class CUDAGraph: RecordedWork, @unchecked Sendable {
    private let device: CUDADevice
    private let executable: UnsafeMutableRawPointer
    private let capture: CUDACapture

    private init(
        device: CUDADevice, executable: UnsafeMutableRawPointer, capture: CUDACapture
    ) {
        self.device = device
        self.executable = executable
        self.capture = capture
    }

    /// Records what `body` gives to the device, without running it.
    ///
    /// Run the same work once before: kernels are compiled and products planned by then. Values must
    /// not be read back inside; uploads inside become constants.
    /// - Returns: the graph, and what the body returned: tensors to be filled by ``replay()``.
    /// - Throws: ``CUDAError``; what the body throws.
    public static func capture<R>(
        on device: CUDADevice, _ body: () throws -> R
    ) throws -> (graph: CUDAGraph, result: R) {
        try capture(on: device, memory: CUDACapture.Memory(device), changing: nil, body)
    }

    /// The same in memory that it shares with graphs that run before or after it.
    ///
    /// - Parameter state: the only tensors from outside that replays may find changed; nil when all
    ///   may be.
    static func capture<R>(
        on device: CUDADevice, memory: CUDACapture.Memory, changing state: [Tensor]?,
        _ body: () throws -> R
    ) throws -> (graph: CUDAGraph, result: R) {
        // Other threads' work must not become part of the graph.
        device.lock.lock()
        defer { device.lock.unlock() }
        try device.throwPendingError()
        let capture = CUDACapture(memory, changing: state)
        device.perform { () throws(CUDAError) in
            try CUDAError.check(ccuda_capture_begin(device.stream), "begin a graph")
        }
        try device.throwPendingError()
        device.capture = capture
        device.followsKernel = false
        device.memory.capturing = capture.pool
        let result = Result { try withDevice(device, body) }
        device.capture = nil
        device.memory.capturing = nil
        // Ended in any case, or the stream would stay unusable.
        var graph: UnsafeMutableRawPointer?
        let status = ccuda_capture_end(device.stream, &graph)
        defer { if let graph { _ = ccuda_graph_destroy(graph) } }
        do {
            try device.throwPendingError()
            let value = try result.get()
            try CUDAError.check(status, "end a graph")
            var executable: UnsafeMutableRawPointer?
            try CUDAError.check(
                ccuda_graph_instantiate(graph, &executable), "make a graph executable")
            guard let executable else {
                throw CUDAError.failed(
                    operation: "make a graph executable", reason: "the driver gave none")
            }
            return (CUDAGraph(device: device, executable: executable, capture: capture), value)
        } catch {
            capture.freeHostMemory()
            throw error
        }
    }

    /// Gives the recorded work to the stream.
    public func replay() {
        device.perform { () throws(CUDAError) in
            try device.timed("graph") { () throws(CUDAError) in
                try CUDAError.check(
                    ccuda_graph_launch(executable, device.stream), "replay a graph")
            }
        }
    }

    deinit {
        device.lock.withLock {
            // A replay may still be running in this memory.
            _ = ccuda_stream_wait(device.stream)
            _ = ccuda_graph_executable_destroy(executable)
            capture.freeHostMemory()
        }
    }
}

/// Graphs in shared memory.
final class CUDAGraphRecorder: WorkRecorder {
    private let device: CUDADevice
    private let memory: CUDACapture.Memory

    init(_ device: CUDADevice) {
        self.device = device
        memory = CUDACapture.Memory(device)
    }

    func record(changing state: [Tensor], _ body: () throws -> Void) throws -> any RecordedWork {
        RecordedGraph(
            graph: try CUDAGraph.capture(
                on: device, memory: memory, changing: state, body
            ).graph, device: device, state: state)
    }
}

/// A graph that writes tensors in place.
private final class RecordedGraph: RecordedWork {
    private let graph: CUDAGraph
    private let device: CUDADevice
    private let state: [Tensor]

    init(graph: CUDAGraph, device: CUDADevice, state: [Tensor]) {
        self.graph = graph
        self.device = device
        self.state = state
    }

    func replay() {
        graph.replay()
        for tensor in state { device.written(tensor) }
    }
}

extension CUDADevice {
    public func makeRecorder() -> (any WorkRecorder)? { CUDAGraphRecorder(self) }

    public func moment() -> any DeviceMoment { CUDAMoment(self) }

    public var memoryInUse: (now: Int, peak: Int)? {
        lock.withLock { (memory.inUse, memory.peak) }
    }

    public func resetMemoryPeak() { lock.withLock { memory.resetPeak() } }
}

/// An event in the stream.
private final class CUDAMoment: DeviceMoment {
    private let device: CUDADevice
    private var event: UnsafeMutableRawPointer?

    init(_ device: CUDADevice) {
        self.device = device
        var made: UnsafeMutableRawPointer?
        device.perform { () throws(CUDAError) in
            try CUDAError.check(ccuda_event_create(&made), "make an event")
            try CUDAError.check(ccuda_event_record(made, device.stream), "record an event")
        }
        event = made
    }

    deinit {
        guard let event else { return }
        device.lock.withLock { _ = ccuda_event_destroy(event) }
    }

    func seconds(since earlier: any DeviceMoment) -> Double {
        guard let start = (earlier as? CUDAMoment)?.event, let event else { return 0 }
        var milliseconds: Float = 0
        device.perform { () throws(CUDAError) in
            try CUDAError.check(ccuda_event_wait(event), "finish its work")
            try CUDAError.check(
                ccuda_event_milliseconds(&milliseconds, start, event), "time its work")
        }
        return Double(milliseconds) * 1e-3
    }
}
