# The one binary in an image with nothing else in it.
FROM node:22-slim AS web
WORKDIR /web
COPY web/playground/package.json web/playground/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY web/playground ./
RUN npm run build

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=web /web/dist web/playground/dist
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /ordergraph ./cmd/ordergraph \
 && install -d -o 65532 -g 65532 /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /ordergraph /ordergraph
COPY --from=build --chown=65532:65532 /data /data
ENV DATA_DIR=/data HTTP_ADDR=0.0.0.0:8080 GRPC_ADDR=0.0.0.0:9090
VOLUME /data
EXPOSE 8080 9090
HEALTHCHECK --interval=5s --timeout=5s --start-period=20s CMD ["/ordergraph", "health"]
ENTRYPOINT ["/ordergraph"]
CMD ["serve"]
