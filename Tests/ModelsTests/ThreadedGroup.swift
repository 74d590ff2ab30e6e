// Threads that train together as processes do. SPDX-License-Identifier: Apache-2.0
import Core
import Foundation

/// What the members of a group exchange; every call waits for all of them.
private final class Exchange: @unchecked Sendable {
    private let condition = NSCondition()
    private let size: Int
    private var round = 0
    private var given: [Int: [[Float]]] = [:]
    private var taken: [[[Float]]] = []

    init(size: Int) { self.size = size }

    /// - Returns: what every member gave, by rank.
    func callAsFunction(_ rank: Int, _ values: [[Float]]) -> [[[Float]]] {
        condition.lock()
        defer { condition.unlock() }
        given[rank] = values
        if given.count == size {
            taken = (0..<size).compactMap { given[$0] }
            given = [:]
            round += 1
            condition.broadcast()
        } else {
            let present = round
            while round == present { condition.wait() }
        }
        return taken
    }
}

/// One thread's side of a group.
final class ThreadedGroup: ProcessGroup {
    let rank: ProcessRank
    private let exchange: Exchange

    private init(_ rank: ProcessRank, _ exchange: Exchange) {
        self.rank = rank
        self.exchange = exchange
    }

    func average(_ tensors: [Tensor]) {
        let all = exchange(rank.rank, tensors.map { $0.floats() })
        for (i, tensor) in tensors.enumerated() {
            let mean = (0..<tensor.count).map { j in
                Float(all.reduce(0.0) { $0 + Double($1[i][j]) } / Double(rank.size))
            }
            put(mean, into: tensor)
        }
    }

    func gathered(_ tensor: Tensor) -> Tensor {
        var shape = tensor.shape
        shape[0] *= rank.size
        guard tensor.dtype == .int32 else {
            let all = exchange(rank.rank, [tensor.floats()])
            return Tensor(all.flatMap { $0[0] }, shape: shape)
        }
        let all = exchange(rank.rank, [tensor.int32s().map { Float($0) }])
        return Tensor(int32: all.flatMap { $0[0].map { Int32($0) } }, shape: shape)
    }

    func broadcast(_ tensors: [Tensor]) {
        let all = exchange(rank.rank, tensors.map { $0.floats() })
        for (i, tensor) in tensors.enumerated() { put(all[0][i], into: tensor) }
    }

    private func put(_ values: [Float], into tensor: Tensor) {
        tensor.device.copy(
            Tensor(values, shape: tensor.shape, device: tensor.device), into: tensor)
    }

    /// Runs `body` in as many threads, each with a device of its own.
    ///
    /// - Returns: the results by rank.
    static func run<R: Sendable>(
        _ size: Int, _ body: @escaping @Sendable (DataParallel) throws -> R
    ) throws -> [R] {
        let exchange = Exchange(size: size)
        let results = Results<R>(size)
        let done = DispatchGroup()
        for rank in 0..<size {
            done.enter()
            Thread.detachNewThread {
                let group = ThreadedGroup(ProcessRank(rank: rank, size: size), exchange)
                let result = withDevice(CPUDevice(threads: 1)) {
                    Result { try body(DataParallel(group)) }
                }
                results.put(result, at: rank)
                done.leave()
            }
        }
        done.wait()
        return try results.all()
    }
}

private final class Results<R: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Result<R, any Error>?]

    init(_ count: Int) { values = Array(repeating: nil, count: count) }

    func put(_ value: Result<R, any Error>, at index: Int) {
        lock.withLock { values[index] = value }
    }

    func all() throws -> [R] {
        try lock.withLock { try values.compactMap { try $0?.get() } }
    }
}
