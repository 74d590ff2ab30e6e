// Where a model's parameters come from: drawn anew, or taken from a checkpoint by name.
// SPDX-License-Identifier: Apache-2.0

/// Makes or takes parameters by their exact checkpoint names and remembers them in order.
///
/// The same initialiser of a model serves both: with `init(seed:)` every parameter is drawn, with
/// `init(tensors:file:)` every parameter is taken, and whatever is missing, misshapen or left over
/// is collected for one refusal by ``finish(ignoring:)``.
/// Used by one thread while a model is built; afterwards only read.
public final class ParameterStore {
    /// What was found wrong while a checkpoint was taken.
    public struct Mismatch: Sendable, Equatable {
        /// Names asked for and not there, with the shape wanted.
        public var missing: [(name: String, shape: [Int])] = []
        /// Names there and never asked for.
        public var unexpected: [String] = []
        /// Names there with another shape.
        public var misshapen: [(name: String, expected: [Int], found: [Int])] = []
        /// Weights there with an element type that is no floating-point one.
        public var mistyped: [(name: String, shape: [Int], found: DType)] = []

        public static func == (a: Mismatch, b: Mismatch) -> Bool {
            a.missing.map(\.name) == b.missing.map(\.name) && a.unexpected == b.unexpected
                && a.misshapen.map(\.name) == b.misshapen.map(\.name)
                && a.mistyped.map(\.name) == b.mistyped.map(\.name)
        }

        /// Whether everything fits.
        public var isEmpty: Bool {
            missing.isEmpty && unexpected.isEmpty && misshapen.isEmpty && mistyped.isEmpty
        }
    }

    /// Parameters in the order they were asked for.
    public private(set) var parameters: [Parameter] = []
    /// Tensors that are stored but never trained, by name.
    public private(set) var buffers: [String: Tensor] = [:]
    /// What does not fit so far.
    public private(set) var mismatch = Mismatch()
    /// The device parameters live on.
    public let device: any Device

    private var generator: RandomGenerator
    private let source: [String: Tensor]?
    private let making: Making?
    private var taken: Set<String> = []
    private var byName: [String: Parameter] = [:]

    /// How a store without a checkpoint makes its tensors in another way than by the initializers.
    package struct Making {
        /// A parameter by name, shape and the initializer that it would be drawn from.
        package var parameter: (String, [Int], Initializer) -> Tensor
        /// A buffer by name, shape and what it would hold.
        package var buffer: (String, [Int], () -> Tensor) -> Tensor

        package init(
            parameter: @escaping (String, [Int], Initializer) -> Tensor,
            buffer: @escaping (String, [Int], () -> Tensor) -> Tensor
        ) {
            self.parameter = parameter
            self.buffer = buffer
        }
    }

    /// A store that draws every parameter.
    public init(seed: UInt64, device: any Device = currentDevice) {
        self.device = device
        generator = RandomGenerator(seed: seed, stream: 0x7061_7261)
        source = nil
        making = nil
    }

    /// A store whose tensors are made by the caller, as if they came from a checkpoint.
    package init(making: Making, device: any Device = currentDevice) {
        self.device = device
        generator = RandomGenerator(seed: 0)
        source = nil
        self.making = making
    }

    /// A store that takes every parameter from a checkpoint's tensors.
    public init(tensors: [String: Tensor], device: any Device = currentDevice) {
        self.device = device
        generator = RandomGenerator(seed: 0)
        source = tensors
        making = nil
    }

    /// Whether parameters come from a checkpoint.
    public var isLoading: Bool { source != nil || making != nil }

    /// The root of the names.
    public var scope: ParameterScope { ParameterScope(store: self, prefix: "") }

    /// A parameter made before, by name.
    public func parameter(named name: String) -> Parameter? { byName[name] }

    /// Ends the taking: everything left in the checkpoint is unexpected unless `ignoring` says so.
    ///
    /// - Returns: what does not fit; empty when the checkpoint is exactly this model.
    public func finish(ignoring: (String) -> Bool = { _ in false }) -> Mismatch {
        if let source {
            mismatch.unexpected = source.keys.filter { !taken.contains($0) && !ignoring($0) }
                .sorted()
        }
        return mismatch
    }

    fileprivate func make(
        _ name: String, shape: [Int], initializer: Initializer, isLinearWeight: Bool
    ) -> Parameter {
        precondition(byName[name] == nil, "parameter \(name) was asked for twice")
        let mayBeNarrow = isLinearWeight && device.readsNarrowWeights
        var value = tensor(name, shape: shape, mayBeNarrow: mayBeNarrow) {
            making?.parameter(name, shape, initializer)
                ?? initializer(shape, generator: &generator, device: device)
        }
        if !value.dtype.isFloatingPoint {
            mismatch.mistyped.append((name, shape, value.dtype))
            value = placeholder(shape)
        }
        let parameter = Parameter(name: name, value: value)
        parameters.append(parameter)
        byName[name] = parameter
        return parameter
    }

    fileprivate func makeBuffer(_ name: String, shape: [Int], make: () -> Tensor) -> Tensor {
        let value = tensor(name, shape: shape) { making?.buffer(name, shape, make) ?? make() }
        buffers[name] = value
        return value
    }

    private func tensor(
        _ name: String, shape: [Int], mayBeNarrow: Bool = false, otherwise make: () -> Tensor
    ) -> Tensor {
        guard let source else { return make() }
        taken.insert(name)
        guard let found = source[name] else {
            mismatch.missing.append((name, shape))
            return placeholder(shape)
        }
        guard found.shape == shape else {
            mismatch.misshapen.append((name, shape, found.shape))
            return placeholder(shape)
        }
        // What a kernel can read as it lies stays mapped; other 16-bit weights are widened once.
        switch found.dtype {
        case .float16, .bfloat16: return mayBeNarrow ? found : found.cast(to: .float32)
        case .float32, .int32, .int64, .uint8: return found
        }
    }

    /// Stands for a tensor that does not fit, without memory: a refused file must not decide how
    /// much is allocated.
    private func placeholder(_ shape: [Int]) -> Tensor {
        Tensor.zeros([Int](repeating: 1, count: shape.count), device: device).expanded(to: shape)
    }
}

/// A prefix of parameter names, as nested modules have.
public struct ParameterScope {
    let store: ParameterStore
    let prefix: String

    /// The scope one level down: `scope["blocks"]["0"]`; dotted names go several levels.
    public subscript(name: String) -> ParameterScope {
        ParameterScope(store: store, prefix: prefix + name + ".")
    }

    /// The scope of a numbered child.
    public subscript(index: Int) -> ParameterScope { self[String(index)] }

    /// Makes or takes a parameter.
    ///
    /// - Parameter isLinearWeight: it is used by `linear` alone, which also reads 16-bit weights: they
    ///   may stay as they are in the checkpoint until the parameter becomes trainable.
    public func parameter(
        _ name: String, shape: [Int], initializer: Initializer = .zeros,
        isLinearWeight: Bool = false
    ) -> Parameter {
        store.make(
            prefix + name, shape: shape, initializer: initializer, isLinearWeight: isLinearWeight)
    }

    /// Makes or takes a tensor that is stored but never trained.
    public func buffer(_ name: String, shape: [Int], make: () -> Tensor) -> Tensor {
        store.makeBuffer(prefix + name, shape: shape, make: make)
    }

    /// Whether values come from a checkpoint.
    public var isLoading: Bool { store.isLoading }
    /// The device parameters live on.
    public var device: any Device { store.device }
}
