// The pictures on the screen by id, and their encoded bytes when the screen asks for them.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Keeps a snapshot of every picture and encodes it on its own thread.
///
/// A pane calls `set` when its picture changes and `show` when it draws; the screen then asks for
/// the bytes. What is not ready is encoded in the background, and `wake` is called when asking
/// again will succeed.
public final class PictureStore: PictureProvider {
    /// Parts up to this many pixels are encoded at once: a brush stroke must not wait.
    public static let immediatePixels = immediateSide * immediateSide
    /// The side of a square picture of so many pixels.
    public static let immediateSide = 128

    private struct Snapshot {
        var version: Int
        var content: PictureContent
    }

    /// The newest snapshot last, with a few before it to find out what changed.
    private var snapshots: [Int: [Snapshot]] = [:]
    private static let history = 4
    private var nextVersion = 1
    private let thread: EncoderThread
    private let encoder = SixelEncoder()
    private var drawn: [Int: DrawnText] = [:]

    /// Who encodes; change it only between frames.
    public var encoderChoice: EncoderChoice
    /// The protocol of the terminal; follows what is shown.
    public private(set) var format = GraphicsFormat.sixel

    /// - Parameters:
    ///   - niceness: of the encoder thread.
    ///   - wake: called on the encoder thread; must be quick (`Wakeup.wake`).
    public init(
        encoder: EncoderChoice = .automatic, niceness: Int32 = 0,
        wake: @escaping @Sendable () -> Void
    ) {
        encoderChoice = encoder
        thread = EncoderThread(niceness: niceness, wake: wake)
        thread.start()
    }

    deinit { thread.stop() }

    // MARK: Pictures

    /// Stores a picture; returns its version, which stays the same if nothing changed.
    @discardableResult
    public func set(_ content: PictureContent, for id: Int) -> Int {
        var list = snapshots[id] ?? []
        if let last = list.last, last.content == content { return last.version }
        let version = nextVersion
        nextVersion += 1
        list.append(Snapshot(version: version, content: content))
        if list.count > PictureStore.history { list.removeFirst() }
        snapshots[id] = list
        return version
    }

    public func remove(_ id: Int) {
        snapshots[id] = nil
        drawn[id] = nil
        thread.remove(id: id)
    }

    public func content(of id: Int) -> PictureContent? { snapshots[id]?.last?.content }
    public func version(of id: Int) -> Int? { snapshots[id]?.last?.version }

    /// Previews that a newer one replaced before they were encoded.
    public var droppedCount: Int { thread.droppedCount }

    // MARK: PictureProvider

    public func encoded(_ request: PictureRequest) -> [UInt8]? {
        guard
            let content = snapshots[request.id]?.last(where: { $0.version == request.version })?
                .content
        else { return nil }
        let part = pixelPart(request)
        guard !part.isEmpty else { return nil }
        let key = EncodedKey(
            id: request.id, version: request.version, pixels: request.pixels,
            mode: mode(of: content, level: request.level), registers: request.registers,
            cells: format == .sixel ? CellSize(columns: 0, rows: 0) : request.part.size, part: part)
        if let bytes = thread.bytes(key) { return bytes }
        if part.width * part.height <= PictureStore.immediatePixels {
            if let bytes = EncoderThread.inline(key, content, part: part) { return bytes }
            if key.mode.isOrdered {
                return EncoderThread.ordered(key, content, part: part, with: encoder)
            }
            if let picture = thread.indices(key) { return encoder.encode(picture, part: part) }
        }
        thread.enqueue(EncoderThread.Job(key: key, content: content))
        return nil
    }

    public func changes(
        id: Int, from old: Int, to new: Int, cells: CellSize, cellSize: PixelSize
    ) -> [Rect]? {
        guard let before = snapshots[id]?.first(where: { $0.version == old })?.content,
            let after = snapshots[id]?.first(where: { $0.version == new })?.content,
            // Diffused pictures change everywhere; tiles would not fit.
            mode(of: before, level: .full).hasTiles, mode(of: after, level: .full).hasTiles
        else { return nil }
        return PictureChanges(before, after).cells(cells, cellSize: cellSize)
    }

    private func mode(of content: PictureContent, level: PictureLevel) -> EncodedKey.Mode {
        switch format {
        case .kitty: return .kitty
        case .iterm2: return .iterm2
        case .sixel: break
        }
        switch level {
        case .reduced: return .orderedHalf
        case .fixedPalette: return .ordered
        case .full: break
        }
        switch encoderChoice {
        case .automatic: return content.kind == .live ? .ordered : .libsixel
        case .own: return content.kind == .live ? .ordered : .ownDiffused
        case .libsixel: return .libsixel
        }
    }

    private func pixelPart(_ request: PictureRequest) -> PixelRect {
        let part = request.part.intersection(Rect(size: request.cells))
        let size = request.cellSize
        return PixelRect(
            x: part.x * size.width, y: part.y * size.height, width: part.width * size.width,
            height: part.height * size.height)
    }

    // MARK: Drawing

    /// A picture drawn as text, kept until something changes.
    private struct DrawnText {
        var version: Int
        var mode: PictureMode
        var depth: Capabilities.ColorDepth
        var isLight: Bool
        var surface: Surface
    }

    /// Shows a picture in a rectangle of the surface, in the way that the terminal allows.
    public func show(
        _ id: Int, in rect: Rect, on surface: inout Surface, mode: PictureMode,
        capabilities: Capabilities, theme: Theme
    ) {
        guard !rect.isEmpty, let snapshot = snapshots[id]?.last else { return }
        switch mode {
        case .sixel, .kitty, .iterm2:
            format = mode.format ?? .sixel
            surface.place(picture: id, version: snapshot.version, in: rect)
        case .half, .braille, .ascii:
            let text = drawnText(
                id, snapshot, size: rect.size, mode: mode, capabilities: capabilities)
            for y in 0..<rect.height {
                for x in 0..<rect.width {
                    guard let cell = text[x, y] else { continue }
                    var style = cell.style
                    if style.background == .default {
                        style.background = theme[.background].background
                    }
                    if style.foreground == .default { style.foreground = theme[.text].foreground }
                    surface.put(cell.character, x: rect.x + x, y: rect.y + y, style: style)
                }
            }
        case .off:
            let image = snapshot.content.image
            surface.put(
                "picture \(image.width)×\(image.height)", x: rect.x,
                y: rect.y + (rect.height - 1) / 2, width: rect.width, alignment: .center,
                style: theme[.textDim])
        }
    }

    private func drawnText(
        _ id: Int, _ snapshot: Snapshot, size: CellSize, mode: PictureMode,
        capabilities: Capabilities
    ) -> Surface {
        if let old = drawn[id], old.version == snapshot.version, old.mode == mode,
            old.depth == capabilities.colors, old.isLight == capabilities.isLightBackground,
            old.surface.size == size
        {
            return old.surface
        }
        var surface = Surface(size: size)
        let rect = Rect(size: size)
        switch mode {
        case .ascii:
            HalfBlockRenderer.drawASCII(
                snapshot.content, into: &surface, rect: rect,
                isLightBackground: capabilities.isLightBackground)
        case .braille:
            BrailleRenderer.draw(
                snapshot.content, into: &surface, rect: rect, depth: capabilities.colors,
                isLightBackground: capabilities.isLightBackground)
        default:
            HalfBlockRenderer.drawHalfBlocks(
                snapshot.content, into: &surface, rect: rect, depth: capabilities.colors)
        }
        drawn[id] = DrawnText(
            version: snapshot.version, mode: mode, depth: capabilities.colors,
            isLight: capabilities.isLightBackground, surface: surface)
        return surface
    }
}
